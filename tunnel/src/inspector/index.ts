export * from "./types.ts";
export { Inspector, type InspectorOptions } from "./inspector.ts";
export type { RecordingLimits } from "./recordings.ts";
