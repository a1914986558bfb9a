import { parseIp } from "./ip-address.ts";

const networkBytes = 8;

/**
 * Returns whom an address counts for in limits: an IPv4 address for itself, an IPv6 one for its /64, because one customer has at least that.
 * What is no address counts together.
 */
export function sourceOf(address: string | undefined): string {
  const bytes = address === undefined ? undefined : parseIp(address);
  if (!bytes) return "unknown";
  return bytes.length === 4 ? bytes.join(".") : bytes.toString("hex", 0, networkBytes);
}

/** A source as people write it: an address, or an IPv6 network. */
export function showSource(source: string): string {
  return /^[0-9a-f]{16}$/.test(source) ? `${(source.match(/.{4}/g) ?? []).join(":")}::/64` : source;
}
