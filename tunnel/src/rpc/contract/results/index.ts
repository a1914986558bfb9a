import * as v from "valibot";
import { logLevel, type Method, type NotificationName, type Notifications, type Requests } from "../index.ts";
import { empty, identityRef, ofTunnel, optional, type Parameter } from "../fields.ts";
import { relaySpec } from "../relays.ts";
import * as spec from "../tunnels.ts";
import { replayEdit } from "../visitors.ts";
import { count, flag, number, rpcErrorData, text, texts } from "./common.ts";
import * as exchanges from "./exchanges.ts";
import * as tunnels from "./tunnels.ts";

/**
 * What answers and notifications look like, for the contract's JSON Schema: this process makes them itself and checks none. The compiler
 * compares them with the types that the code works with.
 */

const { tunnelInfo, visitView, requestView, historyEntry, doctorCheck } = tunnels;
const { inspectorChanges, inspectorStatus, shareLink } = exchanges;

const initializeResult = v.object({
  rpcVersion: number,
  version: text,
  node: text,
  quic: v.variant("available", [
    v.object({ available: v.literal(true) }),
    v.object({ available: v.literal(false), reason: text }),
  ]),
});
const identity = v.object({ clientId: text, fingerprint: text });
const identityWithPem = v.object({ ...identity.entries, pem: text });
const transportTest = v.variant("ok", [
  v.object({ ok: v.literal(true), connectMs: number, rttMs: optional(number), hostnames: texts }),
  v.object({ ok: v.literal(false), error: rpcErrorData }),
]);
const relayTest = v.object({ quic: transportTest, http2: transportTest, fingerprint: optional(text) });
const oneRelay = v.object({ relay: relaySpec });
const logLine = v.object({
  level: logLevel,
  message: text,
  time: number,
  fields: optional(v.record(text, v.union([text, number, flag]))),
  missed: optional(count),
});
const missed = optional(count);

export const resultSchemas = {
  initialize: initializeResult,
  shutdown: empty,
  "tunnel/start": tunnelInfo,
  "tunnel/stop": empty,
  "tunnel/list": v.object({ tunnels: v.array(tunnelInfo) }),
  "tunnel/history": v.object({ entries: v.array(historyEntry) }),
  "tunnel/update": tunnelInfo,
  doctor: v.object({ checks: v.array(doctorCheck) }),
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
  "identity/import": identityWithPem,
  "identity/export": v.object({ pem: text }),
  "identity/fingerprint": identity,
  "relay/list": v.object({ relays: v.array(relaySpec) }),
  "relay/add": oneRelay,
  "relay/remove": empty,
  "relay/parseInvite": oneRelay,
  "relay/test": relayTest,
  "trialRelay/start": v.object({ relay: relaySpec, publicPort: count }),
  "trialRelay/stop": empty,
};

export const notificationSchemas = {
  "tunnel/state": tunnelInfo,
  "tunnel/visit": v.object({ id: text, visit: visitView, missed }),
  "tunnel/request": v.object({ id: text, request: requestView, missed }),
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
  ReplayEdit: replayEdit,
  InitializeResult: initializeResult,
  Identity: identity,
  IdentityWithPem: identityWithPem,
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

type Defined<T> = T extends object ? { readonly [K in keyof T]: Defined<Exclude<T[K], undefined>> } : T;
type Complete<T> = T extends object ? { readonly [K in keyof T]-?: Complete<T[K]> } : T;
type Fits<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** True when both take the same values and know the same fields. */
type Same<A, B> = Fits<[Defined<A>, Complete<Defined<A>>], [Defined<B>, Complete<Defined<B>>]>;

type Described = {
  readonly [M in Method]: Parameter<(typeof resultSchemas)[M]>;
} & { readonly [N in NotificationName]: Parameter<(typeof notificationSchemas)[N]> };
type Declared = { readonly [M in Method]: Requests[M][1] } & Notifications;
type Agreed<T extends Readonly<Record<keyof Declared, true>>> = T;

/** Does not compile when an answer's schema and its type differ, and the error names the answer. */
export type Agreement = Agreed<{ readonly [N in keyof Declared]: Same<Described[N], Declared[N]> }>;
