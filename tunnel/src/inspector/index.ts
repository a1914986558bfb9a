export * from "./types.ts";
export { Inspector } from "./inspector.ts";
