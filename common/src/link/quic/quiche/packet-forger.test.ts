// Packets of a peer that does as it likes. It has the name of a test so that it is not published.
import { createCipheriv, createHmac } from "node:crypto";
import { connectionIdBytes } from "../ticket.ts";

/** Makes 1-RTT packets with any frames (RFC 9001), for a connection whose secret is known, beside those that its engine sends. */
export class PacketForger {
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #headerKey: Buffer;
  readonly #destinationId: Buffer;
  /** Far above the engine's own numbers. */
  #number = 1 << 20;

  /** `sample`: a packet of the same direction with a short header. `secret`: 32 bytes, so the cipher is AES-128-GCM. */
  constructor(secret: Buffer, sample: Buffer) {
    this.#key = expand(secret, "quic key", 16);
    this.#iv = expand(secret, "quic iv", 12);
    this.#headerKey = expand(secret, "quic hp", 16);
    this.#destinationId = sample.subarray(1, 1 + connectionIdBytes);
  }

  packet(frames: Buffer): Buffer {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(++this.#number);
    const header = Buffer.concat([Buffer.from([0x43]), this.#destinationId, number]);
    const nonce = Buffer.from(this.#iv);
    for (let i = 0; i < number.length; i++) nonce[8 + i] = (nonce[8 + i] ?? 0) ^ (number[i] ?? 0);
    const cipher = createCipheriv("aes-128-gcm", this.#key, nonce);
    cipher.setAAD(header);
    const sealed = Buffer.concat([cipher.update(frames), cipher.final(), cipher.getAuthTag()]);
    const mask = createCipheriv("aes-128-ecb", this.#headerKey, null).update(sealed.subarray(0, 16));
    header[0] = (header[0] ?? 0) ^ ((mask[0] ?? 0) & 0x1f);
    for (let i = 0; i < number.length; i++) {
      const at = header.length - number.length + i;
      header[at] = (header[at] ?? 0) ^ (mask[1 + i] ?? 0);
    }
    return Buffer.concat([header, sealed]);
  }
}

/** HKDF-Expand-Label of TLS 1.3 with SHA-256, for outputs of one block. */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

/** An integer of QUIC, in four bytes or eight. */
export function integer(value: number): Buffer {
  const bytes = Buffer.alloc(value < 1 << 30 ? 4 : 8);
  if (bytes.length === 4) bytes.writeUInt32BE(value + 0x8000_0000);
  else bytes.writeBigUInt64BE(BigInt(value) | (3n << 62n));
  return bytes;
}
