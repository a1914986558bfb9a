import * as v from "valibot";
import * as exchanges from "../../../inspector/index.ts";
import { count, flag, number, optional, text, texts, type Data } from "../../../schema/index.ts";
import { empty, identityRef, logLevel } from "../fields.ts";
import { relaySpec } from "../relays.ts";
import * as spec from "../tunnels.ts";
import { ofTunnel } from "../visitors.ts";
import * as tunnels from "./tunnels.ts";

/**
 * What answers and notifications look like, for the contract's types and its JSON Schema: this process makes them itself and checks none.
 */

const { tunnelInfo, visitView, requestView, historyEntry, doctorCheck, doctorReport, rpcErrorData } = tunnels;
const { inspectorChanges, inspectorStatus } = exchanges;

const shareLink = v.object({ id: text, label: text, createdAt: number, endsAt: optional(number) });
const initializeResult = v.object({
  rpcVersion: number,
  version: text,
  node: text,
  /** Whether this process can speak QUIC at all; without it HTTP/2 carries the traffic. */
  quic: v.variant("available", [
    v.object({ available: v.literal(true), engine: v.optional(text), why: v.optional(text) }),
    v.object({ available: v.literal(false), reason: text }),
  ]),
});
export type InitializeResult = Data<typeof initializeResult>;
const identity = v.object({
  /** First label of the public name. */
  clientId: text,
  /** SHA-256 of the public key, as it is pinned. */
  fingerprint: text,
});
export type Identity = Data<typeof identity>;
const identityWithPem = v.object({ ...identity.entries, pem: text });
/** A key that somebody has brought along. */
const importedIdentity = v.object({
  ...identityWithPem.entries,
  /** The relays of a bundle; absent for a key by itself. */
  relays: optional(v.array(relaySpec)),
  /** Every key of a bundle, by name: `primary`, `tunnels/web`. */
  identities: optional(v.array(v.object({ name: text, ...identityWithPem.entries }))),
});
export type ImportedIdentity = Data<typeof importedIdentity>;
const transportTest = v.variant("ok", [
  v.object({ ok: v.literal(true), connectMs: number, rttMs: optional(number), hostnames: texts }),
  v.object({ ok: v.literal(false), error: rpcErrorData }),
]);
export type TransportTest = Data<typeof transportTest>;
const relayTest = v.object({
  quic: transportTest,
  http2: transportTest,
  /** The key that the relay showed. */
  fingerprint: optional(text),
});
export type RelayTest = Data<typeof relayTest>;
const oneRelay = v.object({ relay: relaySpec });
const logLine = v.object({
  level: logLevel,
  message: text,
  /** Milliseconds since 1970. */
  time: number,
  fields: optional(v.record(text, v.union([text, number, flag]))),
  /** How many lines before it were dropped, because nobody read them in time. */
  missed: optional(count),
});
export type LogLine = Data<typeof logLine>;
const missed = optional(count);

export const resultSchemas = {
  initialize: initializeResult,
  shutdown: empty,
  "tunnel/start": tunnelInfo,
  "tunnel/stop": empty,
  "tunnel/list": v.object({ tunnels: v.array(tunnelInfo) }),
  "tunnel/history": v.object({ entries: v.array(historyEntry) }),
  "tunnel/update": tunnelInfo,
  doctor: doctorReport,
  "inspect/list": exchanges.listResult,
  "inspect/get": exchanges.exchangeDetail,
  "inspect/body": exchanges.bodyView,
  "inspect/messages": exchanges.messagesResult,
  "inspect/replay": exchanges.replayResult,
  "inspect/export": exchanges.exportResult,
  "inspect/clear": empty,
  "inspect/record": inspectorStatus,
  "access/share": v.object({ link: shareLink, urls: texts }),
  "access/links": v.object({ links: v.array(shareLink) }),
  "access/revoke": empty,
  "identity/create": identityWithPem,
  "identity/import": importedIdentity,
  "identity/export": v.object({ pem: text }),
  "identity/fingerprint": identity,
  "identity/provide": identity,
  "relay/list": v.object({ relays: v.array(relaySpec) }),
  "relay/add": oneRelay,
  "relay/remove": empty,
  "relay/parseInvite": oneRelay,
  "relay/test": relayTest,
  "trialRelay/start": v.object({ relay: relaySpec, publicPort: count }),
  "trialRelay/stop": empty,
};

export const notificationSchemas = {
  /** After every change, with the whole state. */
  "tunnel/state": tunnelInfo,
  /** A visitor's connection is over. `missed`: so many before it were dropped, because nobody read them in time. */
  "tunnel/visit": v.object({ id: text, visit: visitView, missed }),
  /** A visitor's request has been answered; only where HTTP is read. */
  "tunnel/request": v.object({ id: text, request: requestView, missed }),
  /** What has changed in a tunnel's recordings, several changes together. */
  "inspect/exchange": v.object({ id: text, changes: inspectorChanges }),
  log: logLine,
};

const { relayStatusView, certificateView, accessSummary, gatewayState, endpointView, tunnelStateView } = tunnels;
const { exchangeSummary, exchangeDetail, exchangeTiming, header, bodyInfo, bodyView, messageView } = exchanges;

/** Schemas that have a name of their own in the JSON Schema: that of their type. */
export const namedSchemas = {
  Empty: empty,
  OfTunnel: ofTunnel,
  RelaySpec: relaySpec,
  IdentityRef: identityRef,
  TunnelSpec: spec.tunnelSpec,
  TunnelChanges: spec.tunnelChanges,
  EndpointSpec: spec.endpointSpec,
  EndpointChanges: spec.endpointChanges,
  RouteSpec: spec.routeSpec,
  AccessSpec: spec.accessSpec,
  AcmeSpec: spec.acmeSpec,
  ReplayEdit: exchanges.replayEdit,
  InitializeResult: initializeResult,
  Identity: identity,
  IdentityWithPem: identityWithPem,
  ImportedIdentity: importedIdentity,
  RelayResult: oneRelay,
  RelayTest: relayTest,
  TransportTest: transportTest,
  LogLine: logLine,
  RpcErrorData: rpcErrorData,
  TunnelInfo: tunnelInfo,
  TunnelStateView: tunnelStateView,
  EndpointView: endpointView,
  GatewayState: gatewayState,
  AccessSummary: accessSummary,
  RelayStatusView: relayStatusView,
  CertificateView: certificateView,
  VisitView: visitView,
  RequestView: requestView,
  HistoryEntry: historyEntry,
  DoctorCheck: doctorCheck,
  ExchangeSummary: exchangeSummary,
  ExchangeDetail: exchangeDetail,
  ExchangeTiming: exchangeTiming,
  Header: header,
  BodyInfo: bodyInfo,
  BodyView: bodyView,
  MessageView: messageView,
  InspectorStatus: inspectorStatus,
  InspectorChanges: inspectorChanges,
  ShareLink: shareLink,
};
