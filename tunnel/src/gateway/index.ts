export { Gateway, type GatewayState, type ServeEnd } from "./gateway.ts";
export { connectService, localService, parseLocalService, type LocalService } from "./services/local-service.ts";
export { defaultGatewayOptions, gatewayModes, headerModes, type GatewayMode, type GatewayOptions } from "./options.ts";
export { limits as gatewayLimits } from "./limits.ts";
export { parseCertificates, type ServiceTrust } from "./services/service-tls.ts";
export { UnreadAnswers } from "./unread-answers.ts";
export { parseRoute, route } from "./services/routes.ts";
export { createUpstream } from "./services/create-upstream.ts";
export type { Reply, Upstream } from "./services/upstream.ts";
