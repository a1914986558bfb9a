import type { PortholeError } from "@porthole/common/errors";

/**
 * What the gateway reports to an observer: one `Exchange` for each request, from its head to its end. Nothing of this is called,
 * allocated or measured without an observer.
 *
 * The observer reads its own clock when it is called, so each call is made when the thing happens. No call may throw or block;
 * chunks are only lent: copy what you keep, and change nothing.
 */
export interface ExchangeObserver {
  /** A request's head has been read and is well-formed. Undefined when this request is of no interest. */
  begin(request: RequestHead): Exchange | undefined;
}

/** Names and values in turn, as they stood on the wire: `["Host", "a.example", "Accept", "text/html"]`. HTTP/2 pseudo-headers left out. */
export type RawHeaders = readonly string[];

/** A visitor's connection. One object serves all requests of the connection. */
export interface VisitorConnection {
  readonly endpoint: "primary" | "secondary";
  readonly address: string;
  readonly port?: number;
  /** The public name of the TLS connection, canonical. */
  readonly hostname: string;
  /** The port of the public name, as the relay says it. */
  readonly publicPort?: number;
  readonly traceId: string;
  /** The transport between relay and client: `http2` or `quic`. */
  readonly transport: string;
  /** The round-trip time of the link between relay and client when the connection began, where it is known. */
  readonly linkRttMs?: number;
  /** The time from the arrival of the visitor's stream at the client to the end of its TLS handshake. */
  readonly handshakeMs?: number;
}

export interface RequestHead {
  readonly visitor: VisitorConnection;
  readonly scheme: "https" | "http";
  readonly httpVersion: "1.0" | "1.1" | "2";
  readonly method: string;
  /** Path and query exactly as the visitor sent them (`*` for OPTIONS). */
  readonly target: string;
  /** As the visitor sent them, Host (or HTTP/2's `:authority` as `host`) included. */
  readonly headers: RawHeaders;
}

/** The destination of a request. The user sets it, never a visitor. */
export interface ServiceTarget {
  /** As the user wrote it. */
  readonly text: string;
  /** `h2` is HTTP/2 over TLS. */
  readonly kind: "http" | "https" | "h2c" | "h2";
  readonly host: string;
  readonly port: number;
  /** The first bytes of each connection: a PROXY protocol header with the visitor's address, where the service wants one. */
  readonly preface?: Buffer | undefined;
  readonly socketPath?: string;
  readonly trust?: { readonly ca?: string | undefined; readonly insecure?: boolean | undefined } | undefined;
  /** Called when its certificate is accepted though no CA vouches for it. */
  readonly onUnverified?: (reason: string) => void;
}

/** The request as the local service gets it. */
export interface ForwardedHead {
  readonly service: ServiceTarget;
  readonly method: string;
  readonly target: string;
  readonly headers: RawHeaders;
}

export interface ResponseHead {
  readonly status: number;
  /** Empty on HTTP/2. */
  readonly statusText: string;
  /** As its author sent them, before anything is mapped back to the public name. */
  readonly headers: RawHeaders;
  /** `gateway` for pages and refusals of our own. */
  readonly by: "service" | "gateway";
}

/**
 * One request and its response. Calls come in this order, each of them at most once unless it says otherwise: `forwarded`,
 * `requestChunk`* and `requestEnd` beside `responseHead`, `responseChunk`*, `responseEnd`; or `upgraded` in place of `responseHead`,
 * then `upgradeChunk`*; and always `end` as the last. What never happens is not told: a request that is refused is not forwarded.
 */
export interface Exchange {
  /** The head goes to the local service. Again when the gateway tries the request once more with other headers. */
  forwarded(head: ForwardedHead): void;
  /** Bytes of the body as the visitor sent them, without transfer coding. */
  requestChunk(chunk: Uint8Array): void;
  requestEnd(trailers: RawHeaders): void;
  /** The final response's head (1xx other than 101 are not told). Again after another `forwarded`. */
  responseHead(head: ResponseHead): void;
  /** Bytes of the body as their author sent them, without transfer coding. */
  responseChunk(chunk: Uint8Array): void;
  responseEnd(trailers: RawHeaders): void;
  /** 101, or 200 to an extended CONNECT (RFC 8441): from here on the bytes are those of another protocol. */
  upgraded(head: ResponseHead): void;
  upgradeChunk(from: "visitor" | "service", chunk: Uint8Array): void;
  /** Both sides are done, or one of them aborted. Nothing is reported after it. */
  end(error?: PortholeError): void;
  /** The request turned out to be of no interest: nobody needs to see it. Calls after it are ignored. */
  dismiss(): void;
}
