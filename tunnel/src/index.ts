/** The way in for programs that expose something themselves: docs/embedding.md. */
export * from "./expose/index.ts";
