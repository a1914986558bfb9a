import { canonicalHostName } from "./host-name.ts";
import { tlsAlert } from "./tls-alert.ts";

/** The parts of a ClientHello that routing needs. */
export interface ClientHello {
  /** The name that the visitor asks for, canonical; absent if the hello has none. */
  readonly serverName?: string;
  /** The application protocols that the visitor offers, in its order. */
  readonly alpnProtocols: readonly string[];
}

/** Why a visitor's bytes are not a hello that we accept, and the TLS alert that says so. */
export class Refusal extends Error {
  readonly alert: number;

  constructor(alert: number, reason: string) {
    super(reason);
    this.alert = alert;
  }
}

const extensionType = { serverName: 0, alpn: 16 } as const;
const hostNameType = 0;

/**
 * A ClientHello without its handshake header (RFC 8446 4.1.2). Every length must fit exactly, no extension may come twice: the
 * TLS engine at the other end of the tunnel parses the same bytes again and must not see another name than the relay did.
 */
export function parseClientHello(body: Buffer): ClientHello {
  const reader = new Reader(body);
  const major = reader.uint8();
  const minor = reader.uint8();
  if (major !== 3 || minor < 1)
    throw new Refusal(tlsAlert.protocolVersion, `version ${major}.${minor} in the ClientHello`);
  reader.bytes(32); // random
  reader.vector(1, 0, 32); // legacy_session_id
  if (reader.vector(2, 2).length % 2 !== 0) throw decodeError("cipher suites of odd length");
  reader.vector(1, 1); // legacy_compression_methods
  // TLS 1.2 and older may leave the extensions out altogether (RFC 5246 7.4.1.2).
  if (reader.isAtEnd) return { alpnProtocols: [] };
  const extensions = readExtensions(new Reader(reader.vector(2, 0)));
  reader.expectEnd();
  const serverName = extensions.get(extensionType.serverName);
  const alpn = extensions.get(extensionType.alpn);
  return {
    ...(serverName && { serverName: readServerName(new Reader(serverName)) }),
    alpnProtocols: alpn ? readAlpn(new Reader(alpn)) : [],
  };
}

function readExtensions(reader: Reader): Map<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  while (!reader.isAtEnd) {
    const type = reader.uint16();
    if (extensions.has(type)) throw decodeError(`extension ${type} twice`);
    extensions.set(type, reader.vector(2, 0));
  }
  return extensions;
}

/** RFC 6066 3. Several names could only differ in type, and there is no other type: exactly one. */
function readServerName(reader: Reader): string {
  const list = new Reader(reader.vector(2, 1));
  reader.expectEnd();
  if (list.uint8() !== hostNameType) throw decodeError("a server name of unknown type");
  const text = list.vector(2, 1).toString("latin1");
  list.expectEnd();
  const name = canonicalHostName(text);
  if (name === undefined) throw new Refusal(tlsAlert.unrecognizedName, "a server name that is not a host name");
  return name;
}

/** RFC 7301 3.1. */
function readAlpn(reader: Reader): string[] {
  const list = new Reader(reader.vector(2, 2));
  reader.expectEnd();
  const protocols: string[] = [];
  while (!list.isAtEnd) protocols.push(list.vector(1, 1).toString("latin1"));
  return protocols;
}

/** TLS's presentation language (RFC 8446 3). Every read is checked against the end. */
class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw decodeError(`${this.#bytes.length - this.#offset} bytes too many`);
  }

  bytes(count: number): Buffer {
    if (count > this.#bytes.length - this.#offset) throw decodeError("a length that goes beyond the end");
    this.#offset += count;
    return this.#bytes.subarray(this.#offset - count, this.#offset);
  }

  uint8(): number {
    return this.bytes(1).readUInt8();
  }

  uint16(): number {
    return this.bytes(2).readUInt16BE();
  }

  /** A vector with a length of one or two bytes before it. */
  vector(lengthBytes: 1 | 2, min: number, max = 0xffff): Buffer {
    const length = lengthBytes === 1 ? this.uint8() : this.uint16();
    if (length < min || length > max) throw decodeError(`a field of ${length} bytes`);
    return this.bytes(length);
  }
}

function decodeError(reason: string): Refusal {
  return new Refusal(tlsAlert.decodeError, reason);
}
