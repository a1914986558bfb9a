import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../../util/clock.ts";
import type { RemoteAddress } from "../../../types.ts";
import { maxConnectionIdBytes } from "../packet.ts";

const macBytes = 16;
const expiryBytes = 6;
/** A client answers a Retry at once; this leaves room for a slow path and for its repetitions. */
const lifetimeMs = 10_000;

/**
 * Tokens of Retry packets (RFC 9000 section 8.1): who comes back with one can receive at its address. A token is
 * [expiry, 6 bytes, milliseconds][the id that the client chose first][HMAC-SHA-256 of both, of the client's address and of the
 * new id, 16 bytes]. The key lives as long as the listener.
 */
export class RetryTokens {
  readonly #clock: Clock;
  readonly #key = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  mint(from: RemoteAddress, originalId: Buffer, newId: Buffer): Buffer {
    const expiry = Buffer.alloc(expiryBytes);
    expiry.writeUIntBE(Math.floor(this.#clock.monotonic() + lifetimeMs), 0, expiryBytes);
    return Buffer.concat([expiry, originalId, this.#mac(expiry, from, originalId, newId)]);
  }

  /** The id that the client chose first, or undefined for a token that is forged, expired or another's. */
  verify(token: Buffer, from: RemoteAddress, newId: Buffer): Buffer | undefined {
    const idBytes = token.length - expiryBytes - macBytes;
    if (idBytes < 0 || idBytes > maxConnectionIdBytes) return undefined;
    const expiry = token.subarray(0, expiryBytes);
    const originalId = token.subarray(expiryBytes, expiryBytes + idBytes);
    const mac = token.subarray(expiryBytes + idBytes);
    if (!timingSafeEqual(mac, this.#mac(expiry, from, originalId, newId))) return undefined;
    if (expiry.readUIntBE(0, expiryBytes) < this.#clock.monotonic()) return undefined;
    return Buffer.from(originalId);
  }

  #mac(expiry: Buffer, from: RemoteAddress, originalId: Buffer, newId: Buffer): Buffer {
    return createHmac("sha256", this.#key)
      .update(expiry)
      .update(`${from.address} ${from.port} ${originalId.length} ${newId.length} `)
      .update(originalId)
      .update(newId)
      .digest()
      .subarray(0, macBytes);
  }
}
