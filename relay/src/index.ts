export type { AdmissionRequest, Authorize } from "./admission/index.ts";
export { relayConfig, type RelayConfig } from "./config/config.ts";
export type { Relay, RelayCounts, RelayOptions } from "./running/relay.ts";
export type { Metrics } from "./monitoring/metrics.ts";
export type { QuicWorkerFacts } from "./quic-worker/facts.ts";
export { relayOptions } from "./config/options.ts";
export type { ClientReport, HeldReport, LinkReport, RelayReport } from "./monitoring/report.ts";
export { startRelay } from "./running/start-relay.ts";
