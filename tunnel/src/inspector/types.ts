/**
 * What the inspector shows, as data: everything here survives JSON and goes to the editor and the command line as it is.
 * Fields may be added without a new version; readers ignore what they don't know. A field that changes its meaning needs a new `inspectorVersion`.
 *
 * Text that comes from visitors is raw: control characters and markup included. Escape it for the place where you show it.
 */
export const inspectorVersion = 1;

/** Stands where a value was taken out. */
export const redactedMark = "<redacted>";

/** Unique while the client runs; never used again. */
export type ExchangeId = string;
export type BodySide = "request" | "response";
/** Milliseconds since 1970. */
export type Timestamp = number;

/** One row of the list. Small: changes are sent as whole rows. */
export interface ExchangeSummary {
  readonly id: ExchangeId;
  /** Ascending in the order of arrival. */
  readonly seq: number;
  /** What it turned out to be: `sse` once the response says text/event-stream, `upgrade` for another protocol than WebSocket. */
  readonly kind: "http" | "websocket" | "sse" | "upgrade";
  /** `failed` when it ended with an error; what was recorded until then is there. */
  readonly state: "open" | "done" | "failed";
  readonly endpoint: "primary" | "secondary";
  readonly method: string;
  readonly scheme: "https" | "http";
  readonly hostname: string;
  /** Path and query, redacted. */
  readonly target: string;
  readonly httpVersion: "1.0" | "1.1" | "2";
  /** Absent until the response's head. */
  readonly status?: number;
  /** Who answered: the local service, or the gateway with a page or a refusal of its own. */
  readonly answeredBy?: "service" | "gateway";
  readonly startedAt: Timestamp;
  /** The time from the request's head to the end; absent while open. */
  readonly durationMs?: number;
  /** Bytes of the bodies so far, as they were on the wire; of an upgraded connection all bytes after the head. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Media types without parameters, in lower case. */
  readonly requestType?: string;
  readonly responseType?: string;
  readonly visitor: { readonly address: string; readonly port?: number };
  readonly traceId: string;
  /** WebSocket messages or server-sent events so far, those no longer kept included. */
  readonly messages?: number;
  /** This is a replay of that one, which may be gone by now; `edited` when it was changed. */
  readonly replayOf?: ExchangeId;
  readonly edited?: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Header {
  readonly name: string;
  readonly value: string;
  /** The value was taken out, as a whole or in part; the mark stands in its place. */
  readonly redacted?: boolean;
}

/** Where the time went, in milliseconds after `startedAt`; absent until it happened, or when it never did. */
export interface ExchangeTiming {
  readonly startedAt: Timestamp;
  /** The gateway has decided and passed the head on. Until here: access rules, reading a body to check its signature. */
  readonly forwardedMs?: number;
  readonly requestEndMs?: number;
  /** The response's head came from the local service. From `forwardedMs` to here: the local service. */
  readonly responseHeadMs?: number;
  readonly responseEndMs?: number;
  readonly endMs?: number;
  /** Round trip between client and relay, once for each way of the visitor's bytes, where it is known. */
  readonly linkRttMs?: number;
  /** The visitor's TLS handshake; the connection may have carried other requests before. */
  readonly handshakeMs?: number;
}

export interface ExchangeDetail {
  readonly summary: ExchangeSummary;
  /** The origin of the public URL, with its port: `https://name.example:8443`. */
  readonly origin: string;
  readonly timing: ExchangeTiming;
  /** QUIC, HTTP/2: what carried the visitor's connection. */
  readonly transport: string;
  readonly request: {
    readonly headers: readonly Header[];
    readonly trailers: readonly Header[];
    readonly body: BodyInfo;
    /** What the local service got in its place; absent when nothing was forwarded. */
    readonly forwarded?: {
      readonly service: string;
      readonly method: string;
      readonly target: string;
      readonly headers: readonly Header[];
    };
  };
  readonly response?: {
    readonly status: number;
    readonly statusText: string;
    readonly headers: readonly Header[];
    readonly trailers: readonly Header[];
    readonly body: BodyInfo;
  };
  readonly replay: { readonly possible: true } | { readonly possible: false; readonly why: string };
  /** False when the caller asked for everything. */
  readonly redacted: boolean;
}

/** A body without its bytes. */
export interface BodyInfo {
  /** `truncated`: the bound was reached, only the beginning is kept. `open`: more may come. */
  readonly state: "none" | "open" | "complete" | "truncated";
  readonly bytes: number;
  readonly keptBytes: number;
  /** Content-Type and Content-Encoding as sent; empty when absent. */
  readonly contentType: string;
  readonly contentEncoding: string;
}

export interface BodyQuery {
  readonly id: ExchangeId;
  readonly side: BodySide;
  /** Without it, values are redacted and binary bodies are given as they are. */
  readonly unredacted?: boolean;
  /** Where to begin and how much to give, in UTF-16 units of `text` or bytes of `base64`; at most 1 Mi, which is also the default. */
  readonly offset?: number;
  readonly limit?: number;
}

/** A body for the eye: without content coding, as text where it is text. */
export interface BodyView {
  readonly info: BodyInfo;
  /** How to show it. `html` is source text and must never be rendered. */
  readonly format: "none" | "json" | "form" | "multipart" | "html" | "xml" | "events" | "text" | "image" | "binary";
  /** `damaged`: the coding is broken, or what it hides is too large; what could be decoded is given. `unknown`: a coding that is not known here; the bytes are given as they are. */
  readonly decoding: "none" | "decoded" | "damaged" | "unknown";
  /** Bytes without content coding, of what is kept. Decoding stops at a bound of its own. */
  readonly decodedBytes: number;
  readonly text?: string;
  readonly base64?: string;
  /** Position after what is given, when there is more. */
  readonly nextOffset?: number;
  /** The names and values of a form, decoded. */
  readonly fields?: readonly Header[];
  readonly redacted: boolean;
}

/** A WebSocket message or control frame, or a server-sent event. */
export interface MessageView {
  /** Ascending from 1 within its exchange. */
  readonly seq: number;
  readonly from: "visitor" | "service";
  /** Milliseconds after the exchange's `startedAt`, at the message's last byte. */
  readonly atMs: number;
  readonly type: "text" | "binary" | "ping" | "pong" | "close" | "event" | "invalid";
  /** Bytes of the payload, without framing and compression, fragments together. */
  readonly bytes: number;
  /** Frames that a WebSocket message came in, when there were several. */
  readonly fragments?: number;
  readonly compressed?: boolean;
  /** The content of text, close (its reason), event (its data), and invalid (what is wrong). */
  readonly text?: string;
  /** The content of binary, ping and pong. */
  readonly base64?: string;
  /** Only the beginning is kept. */
  readonly truncated?: boolean;
  readonly closeCode?: number;
  /** The fields of a server-sent event. */
  readonly event?: { readonly name: string; readonly id?: string; readonly retryMs?: number };
  readonly redacted: boolean;
}

export interface MessagesQuery {
  readonly id: ExchangeId;
  /** Only those after this number: 0 for all. */
  readonly after?: number;
  readonly limit?: number;
  readonly unredacted?: boolean;
}

export interface MessagesResult {
  readonly messages: readonly MessageView[];
  /** The first one that is still kept; older ones gave way to newer. */
  readonly firstKept: number;
  readonly total: number;
  readonly more: boolean;
}

/**
 * All that are given must hold. The same as one line of text: words `method:POST`, `status:404` or `status:5xx`, `path:/api`, `type:json`,
 * `kind:websocket`, `visitor:192.0.2.1`, `is:replay|failed|open`, each with a `-` before it to turn it round; every other word is searched in target, headers
 * and text bodies.
 */
export interface ExchangeFilter {
  readonly text: string;
}

export interface ListQuery {
  readonly filter?: ExchangeFilter;
  /** Newest first, from below this `seq`. */
  readonly before?: number;
  /** 200 when absent, 1,000 at most. */
  readonly limit?: number;
}

export interface ListResult {
  readonly version: number;
  readonly exchanges: readonly ExchangeSummary[];
  readonly more: boolean;
  readonly status: InspectorStatus;
}

/** What the inspector keeps, of what it may keep. */
export interface InspectorStatus {
  readonly recording: boolean;
  readonly exchanges: number;
  readonly maxExchanges: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly maxBodyBytes: number;
  /** Exchanges that gave way to newer ones, since the start. */
  readonly evicted: number;
}

/** Told to subscribers, several changes together: at most one call every 50 ms, in order. */
export interface InspectorChanges {
  /** New rows and rows that changed, each once with its present state, in ascending `seq`. */
  readonly exchanges: readonly ExchangeSummary[];
  /** Rows that are gone. */
  readonly removed: readonly ExchangeId[];
  readonly status: InspectorStatus;
}

export interface ReplayRequest {
  readonly id: ExchangeId;
  /** Absent: exactly what was recorded, byte for byte in the body. */
  readonly edit?: ReplayEdit;
}

/** What is absent stays as recorded. */
export interface ReplayEdit {
  readonly method?: string;
  /** Path and query. A parameter whose value is the mark keeps the recorded value. */
  readonly target?: string;
  /**
   * The whole new list, in the visitor's terms or the local service's: those of the forwarded request. A value that is the mark keeps the recorded one of that name (the
   * second mark of a name the second recorded value). Host stays when absent; Content-Length and hop-by-hop headers are set again.
   */
  readonly headers?: readonly Header[];
  /** Must not contain the mark: to edit a body, ask for it unredacted. */
  readonly body?: { readonly text: string } | { readonly base64: string };
}

/** The replay has been sent; it is an exchange of its own, whose changes tell the rest. */
export interface ReplayResult {
  readonly id: ExchangeId;
}

export type ExportFormat = "curl" | "fetch" | "har";

export interface ExportQuery {
  readonly format: ExportFormat;
  /** The exchanges in this order. curl and fetch take one, har any number; empty means all that match the filter (har only), the oldest first. */
  readonly ids: readonly ExchangeId[];
  readonly filter?: ExchangeFilter;
  /** Only with this do values leave that are redacted otherwise. */
  readonly unredacted?: boolean;
  /** The target of curl and fetch: the public URL with the visitor's headers (default), or the local service with what it got. */
  readonly to?: "public" | "service";
}

export interface ExportResult {
  readonly text: string;
  readonly mediaType: string;
  readonly fileName: string;
  /** What the export can't say or leaves out: a cut body, redacted values. Sentences for the user. */
  readonly notes: readonly string[];
}

/**
 * Everything that a program may ask of the inspector; over RPC the same, method for method. An id that is unknown or gone rejects with
 * `usage`.
 */
export interface InspectorApi {
  list(query: ListQuery): Promise<ListResult>;
  detail(query: { readonly id: ExchangeId; readonly unredacted?: boolean }): ExchangeDetail;
  body(query: BodyQuery): Promise<BodyView>;
  messages(query: MessagesQuery): Promise<MessagesResult>;
  replay(request: ReplayRequest): Promise<ReplayResult>;
  export(query: ExportQuery): Promise<ExportResult>;
  clear(): void;
  /** False: new requests are not recorded, and cost nothing. What is there stays. */
  setRecording(recording: boolean): InspectorStatus;
  /** Nobody subscribed, nothing paid. The returned function ends it. */
  subscribe(listener: (changes: InspectorChanges) => void): () => void;
}
