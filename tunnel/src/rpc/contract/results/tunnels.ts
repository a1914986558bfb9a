import * as v from "valibot";
import type { AccessSummary } from "../../../access/index.ts";
import { count, flag, number, optional, role, text, texts, type Data } from "../../../schema/index.ts";
import type { RpcErrorData } from "../../errors.ts";

const linkKind = v.picklist(["http2", "quic"]);

export const rpcErrorData = v.object({
  code: text,
  message: text,
  hint: optional(text),
  retryAfterMs: optional(number),
  retryable: flag,
}) satisfies v.GenericSchema<RpcErrorData>;

export const relayStatusView = v.variant("status", [
  v.object({ status: v.literal("connecting") }),
  v.object({
    status: v.literal("online"),
    transport: linkKind,
    whyNotQuic: optional(text),
    nextQuicTryAt: optional(number),
    links: count,
    hostnames: texts,
    urls: texts,
    rttMs: optional(number),
    otherProcesses: optional(count),
  }),
  v.object({
    status: v.literal("waiting"),
    delayMs: number,
    error: rpcErrorData,
    hint: optional(v.literal("doctor")),
  }),
  v.object({ status: v.literal("failed"), error: rpcErrorData }),
  v.object({ status: v.literal("stopped") }),
]);
export type RelayStatusView = Data<typeof relayStatusView>;

const phase = v.picklist(["waiting", "ordering"]);
const ofName = { hostname: text, sha256: text, quotaLeft: optional(number) };
export const certificateView = v.variant("status", [
  v.object({ ...ofName, status: v.literal("self-signed") }),
  v.object({ ...ofName, status: v.literal("pending"), phase }),
  v.object({ ...ofName, status: v.literal("valid"), notAfter: number, renewAt: number }),
  v.object({ ...ofName, status: v.literal("renewing"), notAfter: number, phase }),
  v.object({
    ...ofName,
    status: v.literal("failed"),
    error: rpcErrorData,
    notAfter: optional(number),
    nextAttemptAt: optional(number),
  }),
]);
export type CertificateView = Data<typeof certificateView>;

export const accessSummary = v.object({
  // A template of TypeScript, which a schema can't say.
  credentials: v.array(text as v.GenericSchema<AccessSummary["credentials"][number]>),
  addresses: texts,
  paths: texts,
  endsAt: optional(number),
});

export const gatewayState = v.object({
  mode: v.picklist(["auto", "http", "tcp"]),
  headers: v.picklist(["auto", "transparent", "localhost"]),
  routes: v.array(v.object({ path: text, service: text })),
  paused: flag,
  adapted: v.array(v.object({ service: text, server: text })),
  access: optional(accessSummary),
});

export const endpointView = v.object({
  role,
  clientId: text,
  fingerprint: text,
  local: text,
  gateway: gatewayState,
  relays: v.array(v.object({ address: text, now: relayStatusView })),
  certificates: v.array(certificateView),
  /** False while connections to the local service are refused; absent before it has been looked at. */
  localUp: optional(flag),
  /** Also those of relays that are away just now. */
  urls: texts,
});
export type EndpointView = Data<typeof endpointView>;

export const tunnelStateView = v.object({
  endpoints: v.array(endpointView),
  /** The tunnel is over, because every relay refused, or because it was stopped. */
  ended: optional(v.object({ error: optional(rpcErrorData) })),
});
/** What a tunnel is doing. The status command, the editor and RPC show the same. */
export type TunnelStateView = Data<typeof tunnelStateView>;

export const tunnelInfo = v.object({ id: text, state: tunnelStateView });
export type TunnelInfo = Data<typeof tunnelInfo>;

export const visitView = v.object({
  role,
  address: text,
  hostname: text,
  traceId: text,
  transport: linkKind,
  mode: optional(v.picklist(["http", "tcp"])),
  durationMs: number,
  bytesIn: count,
  bytesOut: count,
  error: optional(rpcErrorData),
});
export type VisitView = Data<typeof visitView>;

export const requestView = v.object({
  role,
  address: text,
  hostname: text,
  traceId: text,
  method: text,
  path: text,
  status: count,
  durationMs: number,
  error: optional(rpcErrorData),
});
/** A visitor's request after its answer, without headers and bodies. */
export type RequestView = Data<typeof requestView>;

/** What a notification of this name carried, and when, in milliseconds since 1970. */
export const historyEntry = v.variant("event", [
  v.object({ time: number, event: v.literal("state"), state: tunnelStateView }),
  v.object({ time: number, event: v.literal("visit"), visit: visitView }),
  v.object({ time: number, event: v.literal("request"), request: requestView }),
]);
export type HistoryEntry = Data<typeof historyEntry>;

export const doctorCheck = v.object({
  id: v.picklist([
    "local-port",
    "relay-dns",
    "relay-tcp",
    "relay-udp",
    "relay-trust",
    "relay-admission",
    "name-dns",
    "certificate",
    "whole-path",
  ]),
  relay: optional(text),
  status: v.picklist(["ok", "warning", "failed", "skipped"]),
  finding: text,
  fix: optional(text),
});
export type DoctorCheck = Data<typeof doctorCheck>;

export const doctorReport = v.object({
  /** The checks in the order of the path; the first that failed is the one to mend. */
  checks: v.array(doctorCheck),
});
export type DoctorReport = Data<typeof doctorReport>;
