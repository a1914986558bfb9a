export { openCommandSocket, type CommandSocket } from "./command-socket.ts";
export { runDaemon, type DaemonOptions } from "./daemon.ts";
export { ExternalKeys } from "./external-keys.ts";
export { openRuntime, type Runtime } from "./runtime.ts";
export { endpointTunnel } from "./tunnel-settings.ts";
export { VisitorPolicy } from "./visitor-policy.ts";
export { takeStdio } from "./stdio.ts";
export type { StartTrialRelay } from "./trial-relay.ts";
