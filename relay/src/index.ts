export type { AdmissionRequest, Authorize } from "./admission/index.ts";
export { relayConfig, type RelayConfig } from "./config.ts";
export type { Metrics } from "./metrics.ts";
export type { LaneFacts } from "./lane/facts.ts";
export { relayOptions } from "./options.ts";
export type { AgentReport, LinkReport, RelayReport } from "./report.ts";
export { startRelay, type Relay, type RelayCounts, type RelayOptions } from "./relay.ts";
