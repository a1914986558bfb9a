export { runDaemon, type DaemonOptions } from "./daemon.ts";
export { takeStdio } from "./stdio.ts";
export type { StartTrialRelay, TrialRelay } from "./trial-relay.ts";
