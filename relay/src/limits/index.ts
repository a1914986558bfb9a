export { ClientGate, type PendingClient } from "./client-gate.ts";
export { earlyDrop } from "./early-drop.ts";
export { limitNames, type LimitName, type OnLimit, type RelayLimits } from "./relay-limits.ts";
export type { Held } from "./penalties.ts";
export { LimitLog } from "./limit-log.ts";
export { VisitorGate, type VisitorSlot } from "./visitor-gate.ts";
