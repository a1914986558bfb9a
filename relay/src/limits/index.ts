export { AgentGate, type Applicant } from "./agent-gate.ts";
export { earlyDrop } from "./early-drop.ts";
export type { LimitName, OnLimit, RelayLimits } from "./relay-limits.ts";
export { VisitorGate, type Guest } from "./visitor-gate.ts";
