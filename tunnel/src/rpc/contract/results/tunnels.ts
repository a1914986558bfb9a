import * as v from "valibot";
import type { AccessSummary } from "../../../access/index.ts";
import { optional } from "../fields.ts";
import { count, flag, linkKind, number, role, rpcErrorData, text, texts } from "./common.ts";

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
  localUp: optional(flag),
  urls: texts,
});

export const tunnelStateView = v.object({
  endpoints: v.array(endpointView),
  ended: optional(v.object({ error: optional(rpcErrorData) })),
});

export const tunnelInfo = v.object({ id: text, state: tunnelStateView });

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

export const historyEntry = v.variant("event", [
  v.object({ time: number, event: v.literal("state"), state: tunnelStateView }),
  v.object({ time: number, event: v.literal("visit"), visit: visitView }),
  v.object({ time: number, event: v.literal("request"), request: requestView }),
]);

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
