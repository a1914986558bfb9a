import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readPeer } from "../../identity/index.ts";
import { parseIp } from "../../protocol/index.ts";

/** Length of the connection ids that we choose. */
export const connectionIdBytes = 20;

/**
 * A ticket for one QUIC handshake, which the client uses as its own connection id: 20 bytes that the relay reads before any
 * engine exists. [key's id, 1][end of its life in seconds of the key's life, 2][nonce, 3][tag of the address, 3]
 * [tag of the client's key, 4][HMAC-SHA-256 of all that, 7]. The tags cover the nonce, too, so that tickets of one client, which
 * travel in the open, can't be told from those of two. Forging one takes 2^55 packets on average.
 */
export interface TicketKey {
  /** Distinguishes one key from the next; 0 to 255. */
  readonly id: number;
  readonly secret: Uint8Array;
  /** When it was made, in milliseconds since 1970. It serves for 18 hours at most. */
  readonly sinceMs: number;
}

export interface TicketClaims {
  /** The client's key. */
  readonly fingerprint: string;
  /** The only address that the ticket is good for. Undefined for any. */
  readonly address: string | undefined;
  readonly expiresAtMs: number;
}

export type TicketFault = "no-ticket" | "ticket-expired" | "ticket-elsewhere";

const addressTagAt = 6;
const identityTagAt = 9;
const macAt = 13;
const secretBytes = 32;
const anywhere = "anywhere";

/** Makes a random key. Only the lowest byte of `id` counts. `nowMs` is in milliseconds since 1970. */
export function createTicketKey(id: number, nowMs: number): TicketKey {
  return { id: id & 0xff, secret: randomBytes(secretBytes), sinceMs: nowMs };
}

/** Returns a ticket of 20 bytes. Throws a RangeError when it would expire more than 18 hours after the key was made. */
export function mintTicket(key: TicketKey, { fingerprint, address, expiresAtMs }: TicketClaims): Buffer {
  const ticket = randomBytes(connectionIdBytes);
  ticket.writeUInt8(key.id, 0);
  ticket.writeUInt16BE(Math.floor((expiresAtMs - key.sinceMs) / 1_000), 1);
  addressTag(key, ticket, placeOf(address)).copy(ticket, addressTagAt);
  identityTag(key, ticket, fingerprint).copy(ticket, identityTagAt);
  mac(key, ticket).copy(ticket, macAt);
  return ticket;
}

/** Why a connection id is no ticket for a client at this address; undefined when it is one. Whose it is, `isTicketOf` says later. */
export function ticketFault(
  key: TicketKey,
  ticket: Buffer,
  from: { readonly address: string },
  nowMs: number,
): TicketFault | undefined {
  if (ticket.length !== connectionIdBytes || ticket.readUInt8(0) !== key.id) return "no-ticket";
  if (!timingSafeEqual(ticket.subarray(macAt), mac(key, ticket))) return "no-ticket";
  if (nowMs >= expiresAtMs(key, ticket)) return "ticket-expired";
  const tag = ticket.subarray(addressTagAt, identityTagAt);
  if (tag.equals(addressTag(key, ticket, placeOf(from.address)))) return undefined;
  return tag.equals(addressTag(key, ticket, anywhere)) ? undefined : "ticket-elsewhere";
}

/** Returns the expiry of a genuine ticket, in milliseconds since 1970. */
export function expiresAtMs(key: TicketKey, ticket: Buffer): number {
  return key.sinceMs + ticket.readUInt16BE(1) * 1_000;
}

/** Returns whether a genuine ticket is for the key with this fingerprint. */
export function isTicketOf(key: TicketKey, ticket: Buffer, fingerprint: string): boolean {
  return timingSafeEqual(ticket.subarray(identityTagAt, macAt), identityTag(key, ticket, fingerprint));
}

/** One IPv4 address, or the network of an IPv6 host, which may change its own address at will. */
function placeOf(address: string | undefined): string {
  if (address === undefined) return anywhere;
  const bytes = parseIp(address);
  if (!bytes) return address;
  return bytes.subarray(0, bytes.length === 16 ? 8 : 4).toString("hex");
}

function addressTag(key: TicketKey, ticket: Buffer, place: string): Buffer {
  return hmac(key, "address", ticket.subarray(0, addressTagAt), place).subarray(0, identityTagAt - addressTagAt);
}

function identityTag(key: TicketKey, ticket: Buffer, fingerprint: string): Buffer {
  return hmac(key, "identity", ticket.subarray(0, addressTagAt), fingerprint).subarray(0, macAt - identityTagAt);
}

function mac(key: TicketKey, ticket: Buffer): Buffer {
  return hmac(key, "ticket", ticket.subarray(0, macAt), "").subarray(0, connectionIdBytes - macAt);
}

function hmac(key: TicketKey, purpose: string, bytes: Buffer, text: string): Buffer {
  return createHmac("sha256", key.secret).update(`${purpose} `).update(bytes).update(text).digest();
}

/** Whether a ticket was made, with one of these keys, for who holds the key of this certificate (DER). */
export function isTicketOfHolder(keys: Iterable<TicketKey>, ticket: Buffer, certificate: Buffer): boolean {
  const key = [...keys].find(({ id }) => id === ticket[0]);
  if (!key) return false;
  try {
    return isTicketOf(key, ticket, readPeer(certificate).fingerprint);
  } catch {
    // A certificate that can't be read is nobody's.
    return false;
  }
}
