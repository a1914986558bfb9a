import { BlockList, isIP } from "node:net";
import { formatIp, parseIp } from "@porthole/common/protocol";

/** Returns `ADDRESS/BITS` for an address or a network (`203.0.113.7`, `2001:db8::/32`), undefined for any other text. */
export function parseNetwork(text: string): string | undefined {
  const [base = "", bits, ...rest] = text.trim().split("/");
  const bytes = rest.length === 0 ? parseIp(base) : undefined;
  if (!bytes || isIP(base) === 0) return undefined;
  const most = bytes.length * 8;
  if (bits === undefined) return `${formatIp(bytes)}/${most}`;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? `${formatIp(bytes)}/${Number(bits)}` : undefined;
}

/** Returns a test for addresses in one of these networks, which are in the form of `parseNetwork`. An IPv4-mapped address is IPv4. */
export function networkTest(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [base = "", bits] = network.split("/");
    list.addSubnet(base, Number(bits), family(base));
  }
  return (text) => {
    const bytes = parseIp(text ?? "");
    if (!bytes) return false;
    const address = formatIp(bytes);
    return list.check(address, family(address));
  };
}

function family(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
