export { Inspector } from "./inspector.ts";
export { KeptFile } from "./kept-file.ts";
export * from "./queries.ts";
export { redactedMark } from "./redacted-mark.ts";
export * from "./views.ts";
