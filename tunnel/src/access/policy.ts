import type { RawHeaders, VisitorConnection } from "../http/index.ts";

/** Asked about every request (upgrades included) before anything of it reaches the local service. */
export interface AccessPolicy {
  /**
   * At once where it can, so that an endpoint without secrets pays no turn of the event loop. A rejection is a bug: the
   * gateway answers 500 and lets nothing through.
   */
  check(request: AccessRequest): AccessDecision | Promise<AccessDecision>;
  /**
   * Whether a connection may go to the local service without being read as HTTP (tcp mode, or a visitor who speaks something else). False as soon as
   * a rule has to see requests.
   */
  admitsRaw(visitor: VisitorConnection): RawDecision;
  /** For the eye. */
  readonly summary?: AccessSummary;
}

/** The rules without secrets, for display. */
export interface AccessSummary {
  /** Any one of them is enough; when there is none, nobody is asked. */
  readonly credentials: readonly ("basic" | "bearer" | "share" | `webhook ${string}`)[];
  /** As the user wrote them; empty for everybody. */
  readonly addresses: readonly string[];
  readonly paths: readonly string[];
  /** Milliseconds since 1970. */
  readonly endsAt?: number;
}

export type RawDecision = { readonly allow: false } | { readonly allow: true; readonly until?: AbortSignal };

export interface AccessRequest {
  readonly visitor: VisitorConnection;
  readonly method: string;
  /** Path and query exactly as the visitor sent them. */
  readonly target: string;
  readonly headers: RawHeaders;
  /**
   * Reads the whole body as the visitor sends it, without transfer coding; undefined when it has more than `maxBytes`. What was read is forwarded unchanged
   * when the request is allowed. Called at most once. The gateway demands a least rate, and rejects when the visitor leaves.
   */
  body(maxBytes: number, onBytes: OnBytes): Promise<Buffer | undefined>;
}

/** Called with the bytes of a body that are held so far, whenever there are more. */
export type OnBytes = (bytes: number) => void;

export type AccessDecision = Allowed | Refused;

export interface Allowed {
  readonly allow: true;
  /** Credentials that belong to Porthole. They are left out of the forwarded request. */
  readonly strip?: {
    /** Whole headers, in lower case. */
    readonly headers?: readonly string[];
    /** Names of cookies, exact; the rest of the Cookie header stays as it is, byte for byte. */
    readonly cookies?: readonly string[];
    /** Names of query parameters, exact; the rest of the query stays as it is, byte for byte. */
    readonly query?: readonly string[];
  };
  /** Values for Set-Cookie headers on the response, after the local service's own. */
  readonly setCookies?: readonly string[];
  /** Aborts when what was allowed no longer is (the link was revoked, the time is over): whatever still runs then, such as a WebSocket, is ended. */
  readonly until?: AbortSignal;
}

export interface Refused {
  readonly allow: false;
  readonly status: 303 | 401 | 403 | 404 | 410 | 413 | 429 | 503;
  /** Sent besides those of the page, such as WWW-Authenticate, Location or Set-Cookie. */
  readonly headers: RawHeaders;
  /** The page that says so; a redirect has none. People get HTML, programs JSON with this as its `code`. */
  readonly page?: AccessPage;
}

/** The part of the reason that a stranger may learn. */
export type AccessPage =
  /** 401: credentials are missing or wrong; the browser may ask for them. */
  | "unauthorized"
  /** 401: only links let in, and this request has come by none. */
  | "link-needed"
  /** 401: the link that leads here has ended or was revoked. */
  | "link-ended"
  /** 401: a webhook's signature is missing, wrong or too old. */
  | "bad-signature"
  /** 403: not from this address. */
  | "forbidden"
  /** 404: this path is not exposed. */
  | "not-exposed"
  /** 410: the endpoint was exposed until a certain time, which has passed. */
  | "endpoint-ended"
  /** 413: a body that has to be checked is larger than what is checked. */
  | "body-too-large"
  /** 429: wrong passwords or tokens have come from this address, and it has to wait before the next one. */
  | "too-many-tries"
  /** 503: too much is being checked at once; the sender tries again. */
  | "busy";
