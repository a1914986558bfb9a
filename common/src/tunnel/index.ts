export { Endpoint, type EndpointOptions } from "./endpoint.ts";
export {
  defaultTrust,
  openKnownRelays,
  prepareTunnel,
  readKey,
  type AcmeChoice,
  type EndpointSettings,
  type KeySource,
  type PreparedTunnel,
  type ServerSettings,
  type TunnelSettings,
} from "./prepare.ts";
export { publicUrl, type EndpointState, type RelayState, type RelayStatus, type TunnelState } from "./state.ts";
export { fileKnownRelays, memoryKnownRelays, type KnownRelays, type TrustPolicy } from "./trust.ts";
export { testRelay, type RelayOutcome, type TransportOutcome } from "./test-relay.ts";
export { runTunnel, type TunnelOptions } from "./tunnel.ts";
export type { VisitReport } from "./forwarder.ts";
export type { Dialers, DialTarget, ServerAddress } from "./relay-dialer.ts";
export type { TransportPolicy } from "./transport-choice.ts";
export type { CertificateStatus, EndpointAcme } from "./endpoint-certificates.ts";
