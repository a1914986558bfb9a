import { limits } from "../../limits.ts";

/** quiche 0.18 buffers the TLS handshake of a stranger without bound. An honest one needs less than a tenth. */
export const maxHandshakeBytes = 128 * 1024;
/** Datagrams between two looks at the budget. */
export const datagramsPerLook = 256;

/** The engine's counts of received and sent packets. Forged and copied packets do not count. */
export interface PacketStats {
  readonly recv: number;
  readonly recvBytes: number;
  readonly sent: number;
}

/** A short header with a connection id of 20 bytes, a packet number of up to 4 and the seal: RFC 9000 section 17.3.1. */
const packetOverheadBytes = 41;
/** Acknowledgements: an honest peer sends one of 40 to 60 bytes for every two packets of ours. */
const bytesPerSentPacket = 32;
/** Frame headers, and data that came twice. */
const share = 0.1;
/** The budget at the start. Bytes that wait for their reader count until they are read; the rest is for window updates and connection ids. */
const bytesAtOnce = limits.linkWindowBytes + 16 * 1024 * 1024;

/** Bounds what a peer may send besides stream data after the handshake. What the engine keeps of it has a bound of its own, see RareFrames. */
export class PayloadBudget {
  #delivered = 0;

  /** Stream data has been read from the engine. */
  delivered(bytes: number): void {
    this.#delivered += bytes;
  }

  isExceeded({ recv, recvBytes, sent }: PacketStats): boolean {
    return this.uselessBytes({ recv, recvBytes, sent }) > bytesAtOnce;
  }

  /** Below zero for an honest peer, but for what waits for its reader. */
  uselessBytes({ recv, recvBytes, sent }: PacketStats): number {
    const payload = recvBytes - recv * packetOverheadBytes;
    return payload - (1 + share) * this.#delivered - sent * bytesPerSentPacket;
  }
}
