import type { Duplex } from "node:stream";
import type { PortholeError } from "../errors.ts";
import type { ControlChannel } from "./control-channel.ts";

export type LinkKind = "http2" | "quic";

export interface RemoteAddress {
  readonly address: string;
  readonly port: number;
}

/**
 * How a transport checks a dialled relay: by CA and host name (`pem` absent: Node's own CAs), against exactly this
 * certificate, or not at all because `verifyPeer` does it.
 */
export type PeerTrust =
  | { readonly kind: "ca"; readonly pem?: string }
  | { readonly kind: "pinned"; readonly pem: string }
  | { readonly kind: "unchecked" };

/**
 * One bidirectional stream as a transport provides it: a Duplex with backpressure and real half-close (`allowHalfOpen`).
 * `destroy()` may reset it; only link.ts does that, and only as a last resort.
 */
export interface TransportStream extends Duplex {
  /** The same number at both ends, unique within the connection. */
  readonly id: number;
  /**
   * Like `end()`, but the peer sees by it that this side has aborted the stream (`isAborted`). What was written and has not left
   * this machine yet may be dropped. Where it is absent, `end()` serves after the abort message has left.
   */
  abort?(): void;
  /** Once its end has been read: whether that was the peer's `abort()`. */
  readonly isAborted?: boolean;
}

/**
 * A transport connection without any meaning yet: what memory/, http2/ and quic/ implement. `createLink` makes a Link of it.
 * The relay's side opens streams, the client's side receives them; the control stream exists once from the beginning.
 */
export interface TransportConnection {
  readonly kind: LinkKind;
  readonly remote: RemoteAddress;
  /**
   * The certificate, in DER, whose key the peer has proved to hold. Undefined where the transport itself has checked the
   * peer against what it was told to trust (QUIC at the client: Electron can't read certificates back). Set it to undefined once
   * it is no longer needed: it may be a piece of a large block of memory, which every idle link would keep.
   */
  peerCertificate: Buffer | undefined;
  readonly control: Duplex;
  /** Bytes of a stream have reached their reader, which excuses as many on the connection. Absent where the transport counts by itself. */
  delivered?(bytes: number): void;
  /** Streams that the peer opens. Ends with the connection. */
  readonly incoming: AsyncIterable<TransportStream>;
  /** Opens a stream at once, without a round trip. Throws `busy` when the peer's credit is used up, `closed` after the end. */
  openStream(): TransportStream;
  /** How many streams the peer lets us have open at once. */
  readonly maxStreams: number;
  /** Smoothed round trip of the transport, where it knows it. */
  rttMs(): number | undefined;
  /** How much of what its engine can bear is used up: from 1 on the connection should be replaced. Absent where nothing wears out. */
  exhaustion?(): number;
  /** Resolves, never rejects, with the reason, once everything of the connection is released. */
  readonly closed: Promise<PortholeError>;
  /** Orderly: flushes what is written on the control stream, then ends. Waits for `closed`. The reason reaches the peer as far as the transport can carry it. */
  close(reason: PortholeError): Promise<void>;
  /** Immediate. */
  destroy(reason: PortholeError): void;
}

/**
 * A visitor's connection inside a link. `end()` closes one direction. `destroy()` is safe at any time: it tells the peer
 * (`abort`), and the transport's stream is ended in order behind the scenes, never reset. When the peer aborts,
 * the stream is destroyed with an `aborted` error.
 */
export interface LinkStream extends Duplex {
  readonly id: number;
  /** Bytes that have come from the peer, and that were written to it, as a socket counts them. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export interface Link {
  readonly kind: LinkKind;
  /** The peer's present address. On QUIC it may change. */
  readonly remote: RemoteAddress;
  /** See TransportConnection.peerCertificate. */
  readonly peerCertificate: Buffer | undefined;
  /** Drops the certificate once it has been read. */
  forgetPeerCertificate(): void;
  /** Typed messages on the control stream; heartbeat and aborts are handled inside. */
  readonly control: ControlChannel;
  readonly incoming: AsyncIterable<LinkStream>;
  /** See TransportConnection.openStream. */
  openStream(): LinkStream;
  readonly maxStreams: number;
  readonly openStreams: number;
  /** Bytes that its streams have carried lately, in both directions; older ones count less and less. */
  readonly recentBytes: number;
  /** Resolves when no stream is open, or with the end of the link. */
  idle(): Promise<void>;
  /** Smoothed round trip, by the transport or by the heartbeat. */
  rttMs(): number | undefined;
  /** True when what was sent has been unanswered for too long. New streams should use another link; this one may still come back. */
  readonly isSilent: boolean;
  /** Calls with every change of `isSilent`, until the function that it returns is called or the link ends. */
  onSilence(listener: (isSilent: boolean) => void): () => void;
  /** Asks the peer for a sign of life. False when none comes in time. */
  probe(): Promise<boolean>;
  /** The peer seems to be elsewhere: asks it for a sign of life, and ends the link when none comes in a few seconds. */
  suspect(): void;
  /** See TransportConnection.exhaustion; 0 where nothing wears out. */
  exhaustion(): number;
  /** Resolves, never rejects, with the reason. */
  readonly closed: Promise<PortholeError>;
  close(reason: PortholeError): Promise<void>;
  destroy(reason: PortholeError): void;
}
