/** IP addresses as bytes and as text. A v4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address, as text and as bytes. */

const mappedPrefix = Buffer.from("00000000000000000000ffff", "hex");

/** 4 or 16 bytes, or undefined if the text is not an IP address. A zone (%eth0) is dropped. */
export function parseIp(text: string): Buffer | undefined {
  if (!text.includes(":")) return parseIpv4(text);
  const bytes = parseIpv6(text.split("%", 1)[0] ?? "");
  return bytes && isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** The canonical text of 4 or 16 bytes (RFC 5952). */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (isMapped(bytes)) return bytes.subarray(12).join(".");
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push(((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0));
  const gap = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap.length < 2) return hex.join(":");
  return `${hex.slice(0, gap.start).join(":")}::${hex.slice(gap.start + gap.length).join(":")}`;
}

/** Whether the host, a name or an address, is this machine (RFC 6761 6.3 for the names). */
export function isLoopback(host: string): boolean {
  const bytes = parseIp(host);
  if (!bytes) return host === "localhost" || host.endsWith(".localhost");
  return bytes.length === 4 ? bytes[0] === 127 : formatIp(bytes) === "::1";
}

/** An IPv4 address as the 16 bytes of its v4-mapped form; 16 bytes as they are. */
export function toIpv6(bytes: Uint8Array): Uint8Array {
  return bytes.length === 16 ? bytes : Buffer.concat([mappedPrefix, bytes]);
}

function isMapped(bytes: Uint8Array): boolean {
  return mappedPrefix.equals(bytes.subarray(0, 12));
}

function parseIpv4(text: string): Buffer | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  return parts.every((part) => part <= 255) ? Buffer.from(parts) : undefined;
}

function parseIpv6(text: string): Buffer | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return Buffer.from([...head, ...Buffer.alloc(missing), ...tail]);
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      const ipv4 = mayEndInIpv4 && index === groups.length - 1 ? parseIpv4(group) : undefined;
      if (!ipv4) return undefined;
      bytes.push(...ipv4);
    }
  }
  return bytes.length <= 16 ? bytes : undefined;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
