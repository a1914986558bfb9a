export { Inspector } from "./inspector.ts";
export * from "./queries.ts";
export { redactedMark } from "./redacted-mark.ts";
export * from "./views.ts";
