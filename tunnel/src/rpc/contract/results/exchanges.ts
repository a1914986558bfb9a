import * as v from "valibot";
import { optional } from "../fields.ts";
import { count, flag, number, role, text, texts } from "./common.ts";

export const exchangeSummary = v.object({
  id: text,
  seq: count,
  kind: v.picklist(["http", "websocket", "sse", "upgrade"]),
  state: v.picklist(["open", "done", "failed"]),
  endpoint: role,
  method: text,
  scheme: v.picklist(["https", "http"]),
  hostname: text,
  target: text,
  httpVersion: v.picklist(["1.0", "1.1", "2"]),
  status: optional(count),
  answeredBy: optional(v.picklist(["service", "gateway"])),
  startedAt: number,
  durationMs: optional(number),
  requestBytes: count,
  responseBytes: count,
  requestType: optional(text),
  responseType: optional(text),
  visitor: v.object({ address: text, port: optional(count) }),
  traceId: text,
  messages: optional(count),
  replayOf: optional(text),
  edited: optional(flag),
  error: optional(v.object({ code: text, message: text })),
});

export const header = v.object({ name: text, value: text, redacted: optional(flag) });
const headers = v.array(header);

export const exchangeTiming = v.object({
  startedAt: number,
  forwardedMs: optional(number),
  requestEndMs: optional(number),
  responseHeadMs: optional(number),
  responseEndMs: optional(number),
  endMs: optional(number),
  linkRttMs: optional(number),
  handshakeMs: optional(number),
});

export const bodyInfo = v.object({
  state: v.picklist(["none", "open", "complete", "truncated"]),
  bytes: count,
  keptBytes: count,
  contentType: text,
  contentEncoding: text,
});

export const exchangeDetail = v.object({
  summary: exchangeSummary,
  origin: text,
  timing: exchangeTiming,
  transport: text,
  request: v.object({
    headers,
    trailers: headers,
    body: bodyInfo,
    forwarded: optional(v.object({ service: text, method: text, target: text, headers })),
  }),
  response: optional(v.object({ status: count, statusText: text, headers, trailers: headers, body: bodyInfo })),
  replay: v.variant("possible", [
    v.object({ possible: v.literal(true) }),
    v.object({ possible: v.literal(false), why: text }),
  ]),
  redacted: flag,
});

export const bodyView = v.object({
  info: bodyInfo,
  format: v.picklist(["none", "json", "form", "multipart", "html", "xml", "events", "text", "image", "binary"]),
  decoding: v.picklist(["none", "decoded", "damaged", "unknown"]),
  decodedBytes: count,
  text: optional(text),
  base64: optional(text),
  nextOffset: optional(count),
  fields: optional(headers),
  redacted: flag,
});

export const messageView = v.object({
  seq: count,
  from: v.picklist(["visitor", "service"]),
  atMs: number,
  type: v.picklist(["text", "binary", "ping", "pong", "close", "event", "invalid"]),
  bytes: count,
  fragments: optional(count),
  compressed: optional(flag),
  text: optional(text),
  base64: optional(text),
  truncated: optional(flag),
  closeCode: optional(count),
  event: optional(v.object({ name: text, id: optional(text), retryMs: optional(number) })),
  redacted: flag,
});

export const messagesResult = v.object({
  messages: v.array(messageView),
  firstKept: count,
  total: count,
  more: flag,
});

export const inspectorStatus = v.object({
  recording: flag,
  exchanges: count,
  maxExchanges: count,
  bytes: count,
  maxBytes: count,
  maxBodyBytes: count,
  evicted: count,
});

export const listResult = v.object({
  version: count,
  exchanges: v.array(exchangeSummary),
  more: flag,
  status: inspectorStatus,
});

export const inspectorChanges = v.object({
  exchanges: v.array(exchangeSummary),
  removed: texts,
  status: inspectorStatus,
});

export const replayResult = v.object({ id: text });

export const exportResult = v.object({ text, mediaType: text, fileName: text, notes: texts });

export const shareLink = v.object({ id: text, label: text, createdAt: number, endsAt: optional(number) });
