import type { ErrorCode } from "@porthole/common/errors";
import type { RemoteAddress } from "@porthole/common/link";
import type { EngineChoice, EngineName, QuicAcceptorStats, TicketKey } from "@porthole/common/link/quic";
import type { HeldBounds } from "./receive-buffers.ts";

/**
 * What the relay and its QUIC worker say to each other over the channel between parent and child. Bytes take another way: a socket for
 * each visitor (framed-stream.ts), and one for the control streams of all links (control-wire.ts), opened by the relay with `StreamHead`.
 */
export type ToWorker =
  | ({ readonly type: "start" } & WorkerStart)
  | { readonly type: "certificate"; readonly cert: string; readonly key: string }
  | { readonly type: "ticket-keys"; readonly keys: readonly TicketKey[] }
  /** Closes the link after all control bytes that are on their way. */
  | { readonly type: "close"; readonly link: number; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "destroy"; readonly link: number; readonly code: ErrorCode; readonly message: string };

export interface WorkerStart {
  readonly address: string;
  readonly port: number;
  /** PEM. They travel here and not in the arguments, which everyone on the machine can read. */
  readonly cert: string;
  readonly key: string;
  /** Whose tickets the QUIC worker lets in; undefined lets in everyone. */
  readonly ticketKeys: readonly TicketKey[] | undefined;
  readonly engine: EngineChoice;
  readonly heldBounds: HeldBounds;
  /** The socket on which the QUIC worker listens for the relay. */
  readonly socketPath: string;
}

export type FromWorker =
  | { readonly type: "ready"; readonly port: number; readonly engine: ServingEngine }
  /** The QUIC worker can't open its port, or there is no QUIC on this machine; it ends after this. */
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string; readonly hint?: string }
  /** The engine does not take the new certificate; the old one stays. */
  | { readonly type: "certificate-refused"; readonly message: string }
  | ({ readonly type: "beat" } & WorkerBeat)
  /** A client's handshake is done. The relay asks for what it says (control-wire.ts). */
  | {
      readonly type: "link";
      readonly link: number;
      /** DER of the certificate whose key the client has proved to hold. */
      readonly certificate: Uint8Array;
      readonly remote: RemoteAddress;
      readonly maxStreams: number;
    }
  /** The link holds too much for visitors who don't read: this one has to go. */
  | { readonly type: "excess"; readonly link: number; readonly stream: number }
  | { readonly type: "moved"; readonly link: number; readonly remote: RemoteAddress }
  | { readonly type: "closed"; readonly link: number; readonly code: ErrorCode; readonly message: string };

/** Which engine serves, and why that one. */
export interface ServingEngine {
  readonly name: EngineName;
  readonly why: string;
}

export interface WorkerBeat {
  readonly stats: QuicAcceptorStats;
  readonly rssBytes: number;
}

/** The first bytes on each socket from the relay: which link's stream this is. */
export interface StreamHead {
  readonly link: number;
  readonly stream: number;
}

export const streamHeadBytes = 8;
/** The head of the socket with the control streams. Links are counted from 1. */
export const controlHead: StreamHead = { link: 0, stream: 0 };

/** Returns the `streamHeadBytes` bytes of a head. */
export function encodeStreamHead({ link, stream }: StreamHead): Buffer {
  const head = Buffer.allocUnsafe(streamHeadBytes);
  head.writeUInt32BE(link, 0);
  head.writeUInt32BE(stream, 4);
  return head;
}

/** Reads a head from its `streamHeadBytes` bytes. */
export function decodeStreamHead(head: Buffer): StreamHead {
  return { link: head.readUInt32BE(0), stream: head.readUInt32BE(4) };
}
