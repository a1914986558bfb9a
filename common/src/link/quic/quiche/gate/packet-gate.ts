import { randomBytes } from "node:crypto";
import type { Clock } from "../../../../util/clock.ts";
import { TokenBucket } from "../../../../util/token-bucket.ts";
import type { RemoteAddress } from "../../../types.ts";
import type { DropReason, RefusalReason } from "../../options.ts";
import { connectionIdBytes } from "../../ticket.ts";
import type { QuicheBinding } from "../binding.ts";
import {
  maxConnectionIdBytes,
  minInitialBytes,
  quicVersion1,
  readLongHeader,
  versionNegotiation,
  type LongHeader,
} from "../packet.ts";
import { RetryTokens } from "./retry-token.ts";

/** RFC 9000 section 7.2. */
const minOriginalIdBytes = 8;
/** Limits responses to packets of no connection: enough for a relay's restart with 10,000 clients, too few for anything else. */
const answers = { perSecond: 2_000, atOnce: 100 };
const maxRetryBytes = 256;

export type Verdict =
  | { readonly kind: "drop"; readonly reason: DropReason }
  | { readonly kind: "answer"; readonly packet: Buffer }
  | { readonly kind: "accept"; readonly id: Buffer; readonly originalId: Buffer; readonly sourceId: Buffer };

/** Decides who may have a handshake, by the client's own connection id (up to 20 bytes), which stays the same after Retry. */
export interface Admission {
  /** Asked for every Initial, so it must be quick. */
  refuses(sourceId: Buffer, from: RemoteAddress): RefusalReason | undefined;
  /** A handshake is about to begin. False when this id has begun one before. */
  spend(sourceId: Buffer): boolean;
  /** The handshake is done: whether the key of this certificate (DER) is the one that the id was made for. */
  isFor(sourceId: Buffer, certificate: Buffer): boolean;
}

export const openAdmission: Admission = { refuses: () => undefined, spend: () => true, isFor: () => true };

export interface PacketGateOptions {
  readonly binding: Pick<QuicheBinding, "retry">;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly maxHandshakes: number;
}

/**
 * Looks at datagrams that belong to no connection. Nothing of a stranger reaches the engine before its Initial is full-sized,
 * of our version, admitted, and has come back with a token that was sent to its address; nothing is kept about it until then.
 */
export class PacketGate {
  readonly #options: PacketGateOptions;
  readonly #tokens: RetryTokens;
  readonly #answers: TokenBucket;

  constructor(options: PacketGateOptions) {
    this.#options = options;
    this.#tokens = new RetryTokens(options.clock);
    this.#answers = new TokenBucket(options.clock, answers);
  }

  judge(datagram: Buffer, from: RemoteAddress, handshakes: number): Verdict {
    const header = readLongHeader(datagram);
    if (!header) return drop((datagram[0] ?? 0) & 0x80 ? "malformed" : "no-connection");
    if (header.version !== quicVersion1) {
      // Version 0 is an answer; answering it would never end.
      if (header.version === 0) return drop("no-connection");
      if (datagram.length < minInitialBytes) return drop("short-initial");
      return this.#answers.take() ? { kind: "answer", packet: versionNegotiation(header) } : drop("rate");
    }
    if (!header.isInitial) return drop("no-connection");
    if (datagram.length < minInitialBytes) return drop("short-initial");
    const { destinationId, sourceId, token } = header;
    if (destinationId.length < minOriginalIdBytes || destinationId.length > maxConnectionIdBytes)
      return drop("malformed");
    if (sourceId.length > maxConnectionIdBytes) return drop("malformed");
    const refusal = this.#options.admission.refuses(sourceId, from);
    if (refusal) return drop(refusal);
    if (handshakes >= this.#options.maxHandshakes) return drop("handshakes");
    if (token.length === 0) return this.#answers.take() ? this.#retry(header, from) : drop("rate");
    const originalId = this.#tokens.verify(token, from, destinationId);
    if (!originalId || destinationId.length !== connectionIdBytes) return drop("bad-token");
    if (!this.#options.admission.spend(sourceId)) return drop("ticket-used");
    return { kind: "accept", id: Buffer.from(destinationId), originalId, sourceId: Buffer.from(sourceId) };
  }

  #retry(header: LongHeader, from: RemoteAddress): Verdict {
    const { destinationId, sourceId, version } = header;
    const newId = randomBytes(connectionIdBytes);
    const token = this.#tokens.mint(from, destinationId, newId);
    const packet = Buffer.alloc(maxRetryBytes);
    const length = this.#options.binding.retry(sourceId, destinationId, newId, token, version, packet);
    return { kind: "answer", packet: packet.subarray(0, length) };
  }
}

function drop(reason: DropReason): Verdict {
  return { kind: "drop", reason };
}
