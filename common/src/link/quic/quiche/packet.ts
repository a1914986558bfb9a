import { connectionIdBytes } from "../ticket.ts";

/**
 * What can be read of a packet before any key is known: RFC 8999 (invariants) and RFC 9000 section 17.2. Read here and not by
 * the engine, whose header parser returns bytes (slow, and refused by Electron) and is one more piece of native code that
 * strangers could reach. Pure.
 */

export const maxConnectionIdBytes = 20;
export const quicVersion1 = 1;
/** A client pads its Initials to this, so that an answer can't amplify: RFC 9000 section 14.1. */
export const minInitialBytes = 1200;

const longForm = 0x80;
const fixedBit = 0x40;

export interface LongHeader {
  readonly isInitial: boolean;
  readonly version: number;
  readonly destinationId: Buffer;
  readonly sourceId: Buffer;
  /** The token of an Initial; empty when it has none. */
  readonly token: Buffer;
}

const noToken = Buffer.alloc(0);

/** A key for the map of connections. Undefined when there can be no connection for this datagram. */
export function destinationKey(datagram: Buffer): string | undefined {
  const first = datagram[0];
  if (first === undefined) return undefined;
  if (!(first & longForm)) {
    const end = 1 + connectionIdBytes;
    return datagram.length > end ? datagram.toString("latin1", 1, end) : undefined;
  }
  const length = datagram[5];
  if (length !== connectionIdBytes || datagram.length < 6 + length) return undefined;
  return datagram.toString("latin1", 6, 6 + length);
}

/** Returns the same key as `destinationKey`, from the connection id itself. */
export function connectionKey(id: Buffer): string {
  return id.toString("latin1");
}

/** Undefined when it is no long header, or not a whole one. */
export function readLongHeader(datagram: Buffer): LongHeader | undefined {
  if (datagram.length < 7) return undefined;
  const first = datagram.readUInt8(0);
  if (!(first & longForm)) return undefined;
  const version = datagram.readUInt32BE(1);
  const destinationId = readId(datagram, 5);
  if (!destinationId) return undefined;
  const sourceId = readId(datagram, 6 + destinationId.length);
  if (!sourceId) return undefined;
  // Other versions may have longer ids and no fixed bit; a version that we don't speak has no Initial that we can read.
  const isInitial = version === quicVersion1 && (first & fixedBit) !== 0 && (first & 0x30) === 0;
  let token: Buffer = noToken;
  if (isInitial) {
    const found = readToken(datagram, 7 + destinationId.length + sourceId.length);
    if (!found) return undefined;
    token = found;
  }
  return { isInitial, version, destinationId, sourceId, token };
}

/** "I speak version 1": RFC 9000 section 17.2.1. */
export function versionNegotiation(header: LongHeader): Buffer {
  const { destinationId, sourceId } = header;
  return Buffer.concat([
    Buffer.from([longForm | fixedBit, 0, 0, 0, 0, sourceId.length]),
    sourceId,
    Buffer.from([destinationId.length]),
    destinationId,
    Buffer.from([0, 0, 0, quicVersion1]),
  ]);
}

function readId(datagram: Buffer, offset: number): Buffer | undefined {
  const length = datagram[offset];
  if (length === undefined || datagram.length < offset + 1 + length) return undefined;
  return datagram.subarray(offset + 1, offset + 1 + length);
}

function readToken(datagram: Buffer, offset: number): Buffer | undefined {
  const first = datagram[offset];
  if (first === undefined) return undefined;
  // A variable-length integer (RFC 9000 section 16); no token that we made needs more than two bytes of length.
  const bytes = 1 << (first >> 6);
  if (bytes > 2 || datagram.length < offset + bytes) return undefined;
  const length = bytes === 1 ? first : datagram.readUInt16BE(offset) & 0x3fff;
  const start = offset + bytes;
  return datagram.length < start + length ? undefined : datagram.subarray(start, start + length);
}
