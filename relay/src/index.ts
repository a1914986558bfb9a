export type { AdmissionRequest, Authorize } from "./admission/index.ts";
export { relayConfig, type RelayConfig } from "./config.ts";
export type { Relay, RelayCounts, RelayOptions } from "./contract.ts";
export type { Metrics } from "./metrics.ts";
export type { LaneFacts } from "./lane/facts.ts";
export { relayOptions } from "./options.ts";
export type { AgentReport, LinkReport, RelayReport } from "./report.ts";
export { startRelay } from "./relay.ts";
