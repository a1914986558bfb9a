import { connectionIdBytes } from "../ticket.ts";

/** Types of frames, RFC 9000 section 19. */
const padding = 0x00;
const ack = 0x02;
const crypto = 0x06;
const newToken = 0x07;
const stream = 0x08;
const newConnectionId = 0x18;
const resetTokenBytes = 16;

/** How many integers follow the types that are not in `read` below. */
const integers: Readonly<Record<number, number>> = {
  ...{ 0x01: 0, 0x04: 3, 0x05: 2, 0x10: 1, 0x11: 2, 0x12: 1, 0x13: 1, 0x14: 1, 0x15: 2, 0x16: 1, 0x17: 1 },
  ...{ 0x19: 1, 0x1e: 0 },
};
const rareTypes: ReadonlySet<number> = new Set([crypto, newToken, newConnectionId, 0x19, 0x1a, 0x1b]);

/** An honest peer sends a few dozen in a day, and some for each change of its address. */
const maxRareFrames = 1_000;
/** From here on only packets count that are known to be genuine: that costs two more calls of the engine for each. */
const suspiciousFrames = 100;

/** Bounds the frames that quiche 0.18 keeps (CVE-2024-1765, CVE-2023-6193, CVE-2024-1410) in the life of a link. */
export class RareFrames {
  #seen = 0;
  #genuine = 0;

  /** Whether the caller has to find out if a packet is genuine. */
  get isSuspicious(): boolean {
    return this.#seen >= suspiciousFrames;
  }

  get isExceeded(): boolean {
    return this.#genuine > maxRareFrames;
  }

  see(datagram: Buffer, isGenuine: boolean): void {
    const count = countRareFrames(datagram);
    if (count === 0) return;
    this.#seen += count;
    if (isGenuine) this.#genuine += count;
  }
}

/**
 * Counts the frames of a 1-RTT packet that an honest peer sends a few times in the life of a link, and that quiche 0.18 keeps: CRYPTO,
 * NEW_TOKEN, NEW_CONNECTION_ID, RETIRE_CONNECTION_ID, PATH_CHALLENGE, PATH_RESPONSE. `datagram`: after the engine has decrypted it in
 * place. Of one that it could not decrypt the count means nothing.
 */
export function countRareFrames(datagram: Buffer): number {
  const first = datagram[0] ?? 0x80;
  if ((first & 0x80) !== 0) return 0;
  const frames = new FrameReader(datagram, 1 + connectionIdBytes + 1 + (first & 0x03));
  let count = 0;
  for (;;) {
    const type = frames.next();
    if (type === undefined) return count;
    if (rareTypes.has(type)) count += 1;
  }
}

const sealBytes = 16;

class FrameReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = bytes.length - sealBytes;
  }

  /** Skips a frame and returns its type; undefined at the end, and for what is no frame. */
  next(): number | undefined {
    while (this.#at < this.#end && this.#bytes[this.#at] === padding) this.#at += 1;
    if (this.#at >= this.#end) return undefined;
    // quiche takes types in more bytes than they need, too.
    const type = this.#integer();
    if ((type & 0xf8) === stream) this.#skipStream(type);
    else if ((type & 0xfe) === ack) this.#skipAck(type);
    else if (type === 0x1a || type === 0x1b) this.#at += 8;
    else if (type === crypto) {
      this.#integer();
      this.#at += this.#integer();
    } else if (type === newToken) this.#at += this.#integer();
    else if (type === newConnectionId) {
      this.#skip(2);
      this.#at += 1 + (this.#bytes[this.#at] ?? 0) + resetTokenBytes;
    } else {
      const count = integers[type];
      if (count === undefined) return undefined;
      this.#skip(count);
    }
    return this.#at <= this.#end ? type : undefined;
  }

  #skipStream(type: number): void {
    this.#skip((type & 0x04) === 0 ? 1 : 2);
    this.#at = (type & 0x02) === 0 ? this.#end : this.#at + this.#integer();
  }

  #skipAck(type: number): void {
    this.#skip(2);
    const ranges = this.#integer();
    this.#integer();
    for (let left = 2 * ranges; left > 0 && this.#at < this.#end; left--) this.#integer();
    if (type !== ack) this.#skip(3);
  }

  #skip(count: number): void {
    for (let left = count; left > 0; left--) this.#integer();
  }

  /** RFC 9000 section 16. One of eight bytes may lose its lowest bits, and is beyond any packet then. */
  #integer(): number {
    const first = this.#bytes[this.#at] ?? 0;
    const length = 1 << (first >> 6);
    let value = first & 0x3f;
    for (let i = 1; i < length; i++) value = value * 256 + (this.#bytes[this.#at + i] ?? 0);
    this.#at += length;
    return value;
  }
}
