export { Endpoint } from "./endpoint.ts";
export { ExternalKey, type Sign, type SignRequest } from "./external-key.ts";
export type { NameKey } from "./link-identity.ts";
export {
  openKnownRelays,
  prepareTunnel,
  readKey,
  type EndpointSettings,
  type KeySource,
  type PreparedTunnel,
  type ServerSettings,
  type TunnelSettings,
} from "./prepare.ts";
export { publicUrl, type EndpointState, type RelayStatus, type TunnelState } from "./state.ts";
export type { KnownRelays } from "./trust.ts";
export { testRelay, type RelayTestOptions, type TransportOutcome } from "./test-relay.ts";
export { QuicRest } from "./quic-rest.ts";
export { LinkPool } from "./link-pool.ts";
export { runTunnel, type TunnelOptions } from "./tunnel.ts";
export type { VisitReport } from "./forwarder.ts";
export type { Dialers, ServerAddress } from "./relay-dialer.ts";
export type { TransportPolicy } from "./transport-choice.ts";
export { limits as tunnelLimits } from "./limits.ts";
