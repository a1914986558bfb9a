/** The whole protocol between client and relay: its version, its messages and its limits. docs/protocol.md explains it. */

export const protocolVersion = 1;

/** The relay's port for clients when none is named. */
export const defaultApiPort = 4433;

/** ALPN of a client's connection: `h2` says which transport, and only the API port speaks it. */
export const alpn = { quic: "porthole/1", http2: "h2", acmeChallenge: "acme-tls/1" } as const;

/** The first message on the control stream, from the client. */
export interface Hello {
  readonly type: "hello";
  /** The newest protocol version that the client speaks. */
  readonly protocol: number;
  readonly software: string;
  /** The suffix of the public name that the client wants; the relay's first one when absent. */
  readonly suffix?: string;
  /** A friendly name instead of the client id. */
  readonly name?: string;
  /** One-time token of an invite. */
  readonly token?: string;
  /** The owner key's signature that this key belongs to the same person. */
  readonly delegation?: string;
  /** Random id of the client process: links with the same key and instance belong together. */
  readonly instance: string;
  /** Marks a connection test. The relay answers it like any other hello and sends it no visitors. */
  readonly test?: boolean;
  /** The link's own key gets no name: names come by `expose`. A relay that does not know this gives it one all the same. */
  readonly bare?: boolean;
}

/** The relay admits the client: from now on visitors may come. */
export interface Welcome {
  readonly type: "welcome";
  readonly clientId: string;
  /** Public names that lead to this client, the preferred one first. Empty for a link that is `bare`. */
  readonly hostnames: readonly string[];
  readonly publicPort: number;
  readonly limits: { readonly maxStreams: number };
  readonly software: string;
  /** The client's address as the relay sees it. */
  readonly observedAddress: string;
  /** Absent when the relay has no QUIC at present. */
  readonly ticket?: QuicTicket;
  /** Directory of the certificate authority that the relay recommends; absent for Let's Encrypt. The client shows it, and asks only one that its user has agreed to. */
  readonly certificateDirectory?: string;
  /** Random id of the relay's process: a client learns by it that the relay was restarted. */
  readonly instance?: string;
  /** Further keys may be exposed over this link. Absent when the relay does not know `expose`. */
  readonly names?: NamesOffer;
}

/** How many keys may be exposed over the link, its own included, and what each of them has to sign: 32 random bytes as hex digits. */
export interface NamesOffer {
  readonly challenge: string;
  readonly max: number;
}

/** Exposes a further key over this link. `proof` shows that its holder wants that: see proveKey. */
export interface Expose {
  readonly type: "expose";
  readonly proof: string;
  /** As in Hello. */
  readonly suffix?: string;
  readonly name?: string;
}

/** The key with this client id gets no new visitors over this link. Those that are there stay. */
export interface Unexpose {
  readonly type: "unexpose";
  readonly clientId: string;
}

/** The names that lead to this key over this link, from now on: the answer to `expose` and `unexpose`, and unasked when they are revoked. `code` says why there is none; it is an ErrorCode. */
export interface Exposed {
  readonly type: "exposed";
  readonly clientId: string;
  readonly hostnames: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

/** Lets the client begin one QUIC handshake: it uses these 20 bytes as its own connection id. */
export interface QuicTicket {
  /** As hex digits. */
  readonly quic: string;
  readonly lifetimeMs: number;
}

/** The client wants a ticket. `anywhere`: QUIC was silent with the last one, so maybe its UDP comes from another address than its TCP. */
export interface TicketRequest {
  readonly type: "ticket-request";
  readonly anywhere?: boolean;
}

/** The relay's answer, or unasked when QUIC is there again; without a ticket when there is no QUIC at present. */
export interface TicketOffer {
  readonly type: "ticket";
  readonly ticket?: QuicTicket;
}

/** The relay refuses the client; the link ends after it. `code` is an ErrorCode. */
export interface Reject {
  readonly type: "reject";
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** The relay will stop: open new links elsewhere, running streams have until the deadline. */
export interface Drain {
  readonly type: "drain";
  readonly reason: string;
  readonly deadlineMs: number;
}

/** The client leaves for good. */
export interface Goodbye {
  readonly type: "goodbye";
  readonly reason: string;
}

export interface Ping {
  readonly type: "ping";
  readonly n: number;
}

export interface Pong {
  readonly type: "pong";
  readonly n: number;
}

/** The client asks whether it may order a certificate for one of its names: the CA's limits are shared by all under the domain. */
export interface IssuanceRequest {
  readonly type: "issuance-request";
  readonly hostname: string;
}

/** The relay's answer: granted unless there is a `code`, which is an ErrorCode. */
export interface IssuanceReply {
  readonly type: "issuance";
  readonly hostname: string;
  /** How many new names the client's owner could still have certificates for. */
  readonly left?: number;
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

/** How many other processes with this key are connected to the relay now. Sent when it changes. */
export interface Instances {
  readonly type: "instances";
  readonly others: number;
  /** Whose key; the link's own when absent. */
  readonly clientId?: string;
}

/** One side gives a stream up: the other stops sending and both end it in order. `code` is an ErrorCode. */
export interface Abort {
  readonly type: "abort";
  readonly stream: number;
  readonly code: string;
}

export type ControlMessage =
  | Hello
  | Welcome
  | Reject
  | Drain
  | Goodbye
  | Expose
  | Unexpose
  | Exposed
  | TicketRequest
  | TicketOffer
  | IssuanceRequest
  | IssuanceReply
  | Instances
  | Ping
  | Pong
  | Abort;

export const limits = {
  /** A control message's JSON. */
  maxControlBytes: 64 * 1024,
  /** A ClientHello with its handshake header; post-quantum ones are about 1.8 KB. */
  maxHelloBytes: 16 * 1024,
  /** All TLS records of one ClientHello, with their headers. Records of one byte each fit a usual hello. */
  maxHelloRecordBytes: 16 * 1024 + 16 * 5,
  /** TLS records without a byte before the end of a ClientHello. */
  maxEmptyHelloRecords: 16,
  /** PROXY v2 header as we accept it from a peer (ours are below 400 bytes). */
  maxProxyHeaderBytes: 2048,
  /** The deadline from a client's connection to its admission. */
  admissionDeadlineMs: 10_000,
} as const;
