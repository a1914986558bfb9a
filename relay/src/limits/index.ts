export { ClientGate, type PendingClient } from "./client-gate.ts";
export { earlyDrop } from "./early-drop.ts";
export { limitNames, type LimitName, type RelayLimits } from "./relay-limits.ts";
export { LimitLog } from "./limit-log.ts";
export { VisitorGate, type VisitorSlot } from "./visitor-gate.ts";
