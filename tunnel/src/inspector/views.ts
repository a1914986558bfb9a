import * as v from "valibot";
import { count, flag, number, optional, role, text, texts, type Data } from "../schema/index.ts";

/**
 * What the inspector shows, as data: everything here survives JSON and goes to the editor and the command line as it is.
 * Fields may be added without a new version; readers ignore what they don't know. A field that changes its meaning needs a new `inspectorVersion`.
 *
 * Text that comes from visitors is raw: control characters and markup included. Escape it for the place where you show it.
 */
export const inspectorVersion = 1;

/** Unique while the client runs; never used again. */
export type ExchangeId = string;

/** One row of the list. Small: changes are sent as whole rows. */
export const exchangeSummary = v.object({
  id: text,
  /** Ascending in the order of arrival. */
  seq: count,
  /** The kind of the exchange: `sse` once the response is text/event-stream, `upgrade` for another protocol than WebSocket. */
  kind: v.picklist(["http", "websocket", "sse", "upgrade"]),
  /** `failed` when it ended with an error; what was recorded until then is there. */
  state: v.picklist(["open", "done", "failed"]),
  endpoint: role,
  method: text,
  scheme: v.picklist(["https", "http"]),
  hostname: text,
  /** Path and query, redacted. */
  target: text,
  httpVersion: v.picklist(["1.0", "1.1", "2"]),
  /** Absent until the response's head. */
  status: optional(count),
  /** The sender of the response: the local service, or the gateway with a page or a refusal of its own. */
  answeredBy: optional(v.picklist(["service", "gateway"])),
  startedAt: number,
  /** The time from the request's head to the end; absent while open. */
  durationMs: optional(number),
  /** Bytes of the bodies so far, as they were on the wire; of an upgraded connection all bytes after the head. */
  requestBytes: count,
  responseBytes: count,
  /** Media types without parameters, in lower case. */
  requestType: optional(text),
  responseType: optional(text),
  visitor: v.object({ address: text, port: optional(count) }),
  traceId: text,
  /** WebSocket messages or server-sent events so far, those no longer kept included. */
  messages: optional(count),
  /** This is a replay of that one, which may be gone by now; `edited` when it was changed. */
  replayOf: optional(text),
  edited: optional(flag),
  error: optional(v.object({ code: text, message: text })),
});
export type ExchangeSummary = Data<typeof exchangeSummary>;

export const header = v.object({
  name: text,
  value: text,
  /** The value was taken out, as a whole or in part; the mark stands in its place. */
  redacted: optional(flag),
});
export type Header = Data<typeof header>;

/** Times of an exchange, in milliseconds after `startedAt`. A time is absent until it is known. */
export const exchangeTiming = v.object({
  startedAt: number,
  /** The gateway has decided and passed the head on. Until here: access rules, reading a body to check its signature. */
  forwardedMs: optional(number),
  requestEndMs: optional(number),
  /** The response's head came from the local service. From `forwardedMs` to here: the local service. */
  responseHeadMs: optional(number),
  responseEndMs: optional(number),
  endMs: optional(number),
  /** Round trip between client and relay, once for each way of the visitor's bytes, where it is known. */
  linkRttMs: optional(number),
  /** The visitor's TLS handshake; the connection may have carried other requests before. */
  handshakeMs: optional(number),
});

/** A body without its bytes. */
export const bodyInfo = v.object({
  /** `truncated`: the bound was reached, only the beginning is kept. `open`: more may come. */
  state: v.picklist(["none", "open", "complete", "truncated"]),
  bytes: count,
  keptBytes: count,
  /** Content-Type and Content-Encoding as sent; empty when absent. */
  contentType: text,
  contentEncoding: text,
});
export type BodyInfo = Data<typeof bodyInfo>;

export const exchangeDetail = v.object({
  summary: exchangeSummary,
  /** The origin of the public URL, with its port: `https://name.example:8443`. */
  origin: text,
  timing: exchangeTiming,
  /** QUIC, HTTP/2: what carried the visitor's connection. */
  transport: text,
  request: v.object({
    headers: v.array(header),
    trailers: v.array(header),
    body: bodyInfo,
    /** The request that the local service got. Absent when nothing was forwarded. */
    forwarded: optional(
      v.object({
        service: text,
        method: text,
        target: text,
        headers: v.array(header),
      }),
    ),
  }),
  response: optional(
    v.object({
      status: count,
      statusText: text,
      headers: v.array(header),
      trailers: v.array(header),
      body: bodyInfo,
    }),
  ),
  replay: v.variant("possible", [
    v.object({ possible: v.literal(true) }),
    v.object({ possible: v.literal(false), why: text }),
  ]),
  /** False when the caller asked for everything. */
  redacted: flag,
});
export type ExchangeDetail = Data<typeof exchangeDetail>;

/** A body for the eye: without content coding, as text where it is text. */
export const bodyView = v.object({
  info: bodyInfo,
  /** How to show it. `html` is source text and must never be rendered. */
  format: v.picklist(["none", "json", "form", "multipart", "html", "xml", "events", "text", "image", "binary"]),
  /** `damaged`: the coding is broken, or what it hides is too large; what could be decoded is given. `unknown`: a coding that is not known here; the bytes are given as they are. */
  decoding: v.picklist(["none", "decoded", "damaged", "unknown"]),
  /** Bytes without content coding, of what is kept. Decoding stops at a bound of its own. */
  decodedBytes: count,
  text: optional(text),
  base64: optional(text),
  /** Position after what is given, when there is more. */
  nextOffset: optional(count),
  /** The names and values of a form, decoded. */
  fields: optional(v.array(header)),
  redacted: flag,
});
export type BodyView = Data<typeof bodyView>;

/** A WebSocket message or control frame, or a server-sent event. */
export const messageView = v.object({
  /** Ascending from 1 within its exchange. */
  seq: count,
  from: v.picklist(["visitor", "service"]),
  /** Milliseconds after the exchange's `startedAt`, at the message's last byte. */
  atMs: number,
  type: v.picklist(["text", "binary", "ping", "pong", "close", "event", "invalid"]),
  /** Bytes of the payload, without framing and compression, fragments together. */
  bytes: count,
  /** Frames that a WebSocket message came in, when there were several. */
  fragments: optional(count),
  compressed: optional(flag),
  /** The content of text, close (its reason), event (its data), and invalid (what is wrong). */
  text: optional(text),
  /** The content of binary, ping and pong. */
  base64: optional(text),
  /** Only the beginning is kept. */
  truncated: optional(flag),
  closeCode: optional(count),
  /** The fields of a server-sent event. */
  event: optional(v.object({ name: text, id: optional(text), retryMs: optional(number) })),
  redacted: flag,
});
export type MessageView = Data<typeof messageView>;

export const messagesResult = v.object({
  messages: v.array(messageView),
  /** The first one that is still kept; older ones gave way to newer. */
  firstKept: count,
  total: count,
  more: flag,
});
export type MessagesResult = Data<typeof messagesResult>;

/** The inspector's use of its limits. */
export const inspectorStatus = v.object({
  recording: flag,
  exchanges: count,
  maxExchanges: count,
  bytes: count,
  maxBytes: count,
  maxBodyBytes: count,
  /** Exchanges that gave way to newer ones, since the start. */
  evicted: count,
});
export type InspectorStatus = Data<typeof inspectorStatus>;

export const listResult = v.object({
  version: count,
  exchanges: v.array(exchangeSummary),
  more: flag,
  status: inspectorStatus,
});
export type ListResult = Data<typeof listResult>;

/** Told to subscribers, several changes together: at most one call every 50 ms, in order. */
export const inspectorChanges = v.object({
  /** New rows and rows that changed, each once with its present state, in ascending `seq`. */
  exchanges: v.array(exchangeSummary),
  /** Rows that are gone. */
  removed: texts,
  status: inspectorStatus,
});
export type InspectorChanges = Data<typeof inspectorChanges>;

/** The replay has been sent; it is an exchange of its own, whose changes tell the rest. */
export const replayResult = v.object({
  id: text,
});
export type ReplayResult = Data<typeof replayResult>;

export const exportResult = v.object({
  text,
  mediaType: text,
  fileName: text,
  /** Losses of the export, such as a cut body or redacted values. Sentences for the user. */
  notes: texts,
});
export type ExportResult = Data<typeof exportResult>;
