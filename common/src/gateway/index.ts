export * from "./access/index.ts";
export * from "./inspector/index.ts";
export type * from "./exchange.ts";
export { Gateway, type GatewayState, type ServeEnd } from "./gateway.ts";
export { connectService, localService, parseLocalService, type LocalService } from "./local-service.ts";
export { defaultGatewayOptions, gatewayModes, headerModes, type GatewayMode, type GatewayOptions } from "./options.ts";
export type { RequestReport } from "./reports.ts";
export { parseRoute, route } from "./routes.ts";
export type { Reply } from "./upstream.ts";
