export { agentEnvironment, type EditorProxy } from "./daemon-environment.ts";
export type { AgentStatus, RunningAgent } from "./daemon-supervisor.ts";
export { Controller, type ControllerDeps, type ControllerState } from "./controller.ts";
export { endpointOf, failureOf, nameOf, urlOf, type Exposure } from "./exposure.ts";
export type { Relay, Secrets, Settings, Workspace, WorkspaceStore } from "./host.ts";
export { describeAccess, describeCertificate, describeExposure, describeRelay, type Described } from "./state-text.ts";
export { environmentOf, type EnvironmentChange } from "./environment.ts";
export { urlReady } from "./url-ready.ts";
export type { GivenKey } from "./questions.ts";
