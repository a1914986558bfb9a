export { runAgent, type AgentOptions } from "./agent.ts";
export { takeStdio } from "./stdio.ts";
export type { StartTrialRelay, TrialRelay } from "./trial-relay.ts";
