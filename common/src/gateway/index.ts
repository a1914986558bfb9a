export * from "./access/index.ts";
export * from "./inspector/index.ts";
export type * from "./exchange.ts";
export { Gateway, type GatewayState, type ServeEnd } from "./gateway.ts";
export {
  connectService,
  localService,
  parseLocalService,
  type ConnectOptions,
  type LocalService,
} from "./local-service.ts";
export {
  defaultGatewayOptions,
  gatewayModes,
  headerModes,
  type GatewayMode,
  type GatewayOptions,
  type HeaderMode,
} from "./options.ts";
export type { RequestReport } from "./reports.ts";
export { parseRoute, route, type Route } from "./routes.ts";
export type { LearnedMode } from "./service-modes.ts";
export { createUpstream, type Reply, type SendInit, type Upstream, type UpstreamCall } from "./upstream.ts";
