import { PortholeError } from "../errors.ts";
import { canonicalHostName } from "./host-name.ts";
import { formatIp, parseIp, toIpv6 } from "./ip-address.ts";
import { limits } from "./protocol.ts";

/**
 * The PROXY protocol, version 2, in binary (HAProxy's specification, section 2.2). Every stream of a link begins with one,
 * it hands visitors from relay to relay, and it may lead the way to a local service that understands it.
 */
export interface ProxyHeader {
  /** The visitor's address and port. Undefined when the sender does not say (LOCAL, UNSPEC, Unix sockets). */
  readonly source: SocketAddress | undefined;
  readonly destination: SocketAddress | undefined;
  /** The host name that the visitor asked for, canonical. */
  readonly authority?: string;
  /** The trace id: visible ASCII. */
  readonly uniqueId?: string;
  /** The application protocol that was chosen, where TLS has ended already. */
  readonly alpn?: string;
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const fixedBytes = 16;
const command = { local: 0x20, proxy: 0x21 } as const;
const family = { unspecified: 0x0, ipv4: 0x1, ipv6: 0x2, unix: 0x3 } as const;
const stream = 0x1;
const tlv = { alpn: 0x01, authority: 0x02, noop: 0x04, uniqueId: 0x05 } as const;
const maxUniqueIdBytes = 128;
const tlvHeaderBytes = 3;

/** IPv4 if both addresses are, otherwise IPv6 with the other one v4-mapped. */
export function encodeProxyHeader(header: {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly authority?: string | undefined;
  readonly uniqueId?: string | undefined;
  readonly alpn?: string | undefined;
}): Buffer {
  let source = addressBytes(header.source);
  let destination = addressBytes(header.destination);
  const isIpv4 = source.length === 4 && destination.length === 4;
  if (!isIpv4) [source, destination] = [toIpv6(source), toIpv6(destination)];
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(header.source.port, 0);
  ports.writeUInt16BE(header.destination.port, 2);
  const fault = faultOf(header);
  if (fault !== undefined) throw new PortholeError("internal", `A PROXY protocol header can't be written: ${fault}`);
  const body = Buffer.concat([
    source,
    destination,
    ports,
    ...encodeTlv(tlv.alpn, header.alpn),
    ...encodeTlv(tlv.authority, header.authority),
    ...encodeTlv(tlv.uniqueId, header.uniqueId),
  ]);
  const fixed = Buffer.alloc(fixedBytes);
  signature.copy(fixed);
  fixed[12] = command.proxy;
  fixed[13] = ((isIpv4 ? family.ipv4 : family.ipv6) << 4) | stream;
  fixed.writeUInt16BE(body.length, 14);
  return Buffer.concat([fixed, body]);
}

/**
 * The header at the beginning of `buffer` and how many bytes it takes, or undefined if more are needed. Wrong bytes are
 * refused as soon as they can be told (`protocol`), and a header of more than limits.maxProxyHeaderBytes too (`limit`).
 */
export function decodeProxyHeader(
  buffer: Buffer,
): { readonly header: ProxyHeader; readonly length: number } | undefined {
  const present = Math.min(buffer.length, signature.length);
  if (signature.compare(buffer, 0, present, 0, present) !== 0) throw broken("the signature is missing");
  if (buffer.length < fixedBytes) return undefined;
  const length = fixedBytes + buffer.readUInt16BE(14);
  if (length > limits.maxProxyHeaderBytes)
    throw new PortholeError("limit", `The peer announced a PROXY header of ${length} bytes`);
  const transport = transportOf(buffer);
  if (buffer.length < length) return undefined;
  return { header: readBody(buffer.subarray(fixedBytes, length), transport), length };
}

type Transport = "ipv4" | "ipv6" | "unknown";

function transportOf(fixed: Buffer): Transport {
  const versionAndCommand = fixed[12];
  if (versionAndCommand === command.local) return "unknown";
  if (versionAndCommand !== command.proxy) throw broken("it is neither LOCAL nor PROXY of version 2");
  const byte = fixed[13] ?? 0;
  const [addressFamily, protocol] = [byte >> 4, byte & 0x0f];
  if (addressFamily > family.unix || protocol > 0x2) throw broken("its address family does not exist");
  // An unspecified half makes the whole unspecified.
  if (protocol === 0x0) return "unknown";
  if (addressFamily === family.ipv4) return "ipv4";
  return addressFamily === family.ipv6 ? "ipv6" : "unknown";
}

function readBody(body: Buffer, transport: Transport): ProxyHeader {
  // What a sender of unknown addresses appends is skipped whole, as the specification says.
  if (transport === "unknown") return { source: undefined, destination: undefined };
  const size = transport === "ipv4" ? 4 : 16;
  const addressesEnd = 2 * size + 4;
  if (body.length < addressesEnd) throw broken("it is too short for its addresses");
  return {
    source: { address: formatIp(body.subarray(0, size)), port: body.readUInt16BE(2 * size) },
    destination: { address: formatIp(body.subarray(size, 2 * size)), port: body.readUInt16BE(2 * size + 2) },
    ...readTlvs(body.subarray(addressesEnd)),
  };
}

function readTlvs(bytes: Buffer): Pick<ProxyHeader, "authority" | "uniqueId" | "alpn"> {
  const values = new Map<number, string>();
  for (let offset = 0; offset < bytes.length;) {
    const start = offset + tlvHeaderBytes;
    if (start > bytes.length) throw broken("a field ends too early");
    const type = bytes.readUInt8(offset);
    const end = start + bytes.readUInt16BE(offset + 1);
    if (end > bytes.length) throw broken("a field ends too early");
    if (type !== tlv.noop && values.has(type)) throw broken("it has a field twice");
    values.set(type, bytes.toString("latin1", start, end));
    offset = end;
  }
  const authority = values.get(tlv.authority);
  const uniqueId = values.get(tlv.uniqueId);
  const alpn = values.get(tlv.alpn);
  const fault = faultOf({ authority, uniqueId, alpn });
  if (fault !== undefined) throw broken(fault);
  const canonical = authority === undefined ? undefined : canonicalHostName(authority);
  return {
    ...(canonical !== undefined && { authority: canonical }),
    ...(uniqueId !== undefined && { uniqueId }),
    ...(alpn !== undefined && { alpn }),
  };
}

/** Reader and writer agree on what is wrong with the texts; they are printed in logs. */
function faultOf(header: {
  readonly authority?: string | undefined;
  readonly uniqueId?: string | undefined;
  readonly alpn?: string | undefined;
}): string | undefined {
  const { authority, uniqueId = "-", alpn = "-" } = header;
  if (authority !== undefined && canonicalHostName(authority) === undefined) return "its authority is not a host name";
  if (uniqueId.length > maxUniqueIdBytes || !isVisible(uniqueId))
    return `its unique id is not visible ASCII of at most ${maxUniqueIdBytes} characters`;
  return isVisible(alpn) ? undefined : "its application protocol is not visible ASCII";
}

function isVisible(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

function addressBytes({ address }: SocketAddress): Uint8Array {
  const bytes = parseIp(address);
  if (bytes === undefined) throw new PortholeError("internal", `${JSON.stringify(address)} is not an IP address`);
  return bytes;
}

function encodeTlv(type: number, text: string | undefined): Buffer[] {
  if (text === undefined) return [];
  const head = Buffer.alloc(tlvHeaderBytes);
  head[0] = type;
  head.writeUInt16BE(text.length, 1);
  return [head, Buffer.from(text, "latin1")];
}

function broken(what: string): PortholeError {
  return new PortholeError("protocol", `The PROXY protocol header is not valid: ${what}`);
}
