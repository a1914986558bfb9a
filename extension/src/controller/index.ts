export { agentEnvironment, type EditorProxy } from "./agent-environment.ts";
export type { AgentStatus, RunningAgent } from "./agent-supervisor.ts";
export { Controller, type ControllerDeps, type ControllerState } from "./controller.ts";
export { endpointOf, failureOf, nameOf, urlOf, type Exposure } from "./exposure.ts";
export type { Relay, Secrets, Settings, Workspace, WorkspaceStore } from "./ports.ts";
export { describeAccess, describeCertificate, describeExposure, describeRelay, type Described } from "./state-text.ts";
export { environmentOf, type EnvironmentChange } from "./environment.ts";
export { urlReady } from "./url-ready.ts";
export type { GivenKey } from "./questions.ts";
