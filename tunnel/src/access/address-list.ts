import { BlockList } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { formatIp, parseIp } from "@porthole/common/protocol";

/** Addresses and networks that may visit. */
export interface AddressList {
  /** As the user wrote them. */
  readonly texts: readonly string[];
  /** False for what is not an address. */
  includes(address: string): boolean;
}

/**
 * Reads `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`, and with `!` before it what is taken out again. Without an entry to let
 * in, everybody else is let in. Throws `usage`.
 */
export function parseAddressList(texts: readonly string[]): AddressList {
  const inside = new BlockList();
  const outside = new BlockList();
  let isOpen = true;
  for (const text of texts) {
    const isExcluded = text.startsWith("!");
    if (!isExcluded) isOpen = false;
    addNetwork(isExcluded ? outside : inside, isExcluded ? text.slice(1) : text, text);
  }
  return {
    texts,
    includes(address) {
      const bytes = parseIp(address);
      if (!bytes) return false;
      // A v4-mapped address is the IPv4 address, so that no rule can be walked around by its other spelling.
      const canonical = formatIp(bytes);
      const family = bytes.length === 4 ? "ipv4" : "ipv6";
      return (isOpen || inside.check(canonical, family)) && !outside.check(canonical, family);
    },
  };
}

function addNetwork(list: BlockList, text: string, written: string): void {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const bytes = parseIp(match?.[1] ?? "");
  const bits = (bytes?.length ?? 0) * 8;
  const prefix = match?.[2] === undefined ? bits : Number(match[2]);
  if (!bytes || prefix > bits)
    throw new PortholeError("usage", `"${written}" is not an address or a network`, {
      hint: "Write an address (192.0.2.1), a network (10.0.0.0/8, 2001:db8::/32), or one of them with ! before it to keep it out.",
    });
  list.addSubnet(formatIp(bytes), prefix, bytes.length === 4 ? "ipv4" : "ipv6");
}
