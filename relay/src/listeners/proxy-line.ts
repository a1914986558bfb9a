import { PortholeError } from "@porthole/common/errors";
import { formatIp, parseIp } from "@porthole/common/protocol";
import type { Addresses } from "./addresses-of.ts";

const maxBytes = 107;
const start = Buffer.from("PROXY ");

/**
 * Reads the PROXY protocol, version 1, a line of text (HAProxy's specification, section 2.1). Returns undefined when the bytes are no
 * such line, or not all of it; `addresses` is undefined for UNKNOWN. Throws `protocol` as soon as the bytes can't become such a line.
 */
export function decodeProxyLine(
  bytes: Buffer,
): { readonly addresses: Addresses | undefined; readonly length: number } | undefined {
  if (bytes[0] !== start[0]) return undefined;
  const present = Math.min(bytes.length, start.length);
  if (start.compare(bytes, 0, present, 0, present) !== 0) throw broken();
  const end = bytes.subarray(0, maxBytes).indexOf("\r\n");
  if (end < 0) {
    if (bytes.length >= maxBytes) throw broken();
    return undefined;
  }
  const length = end + 2;
  const line = bytes.toString("latin1", 0, end);
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { addresses: undefined, length };
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = ""] =
    /^PROXY (TCP4|TCP6) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  const isRight = (address: string): boolean => address.includes(":") === (family === "TCP6");
  if (family === undefined || !isRight(source) || !isRight(destination)) throw broken();
  return {
    addresses: { remote: endOf(source, sourcePort), local: endOf(destination, destinationPort) },
    length,
  };
}

function endOf(address: string, digits: string): Addresses["remote"] {
  const bytes = parseIp(address);
  const port = Number(digits);
  if (!bytes || port > 65_535 || (digits.length > 1 && digits.startsWith("0"))) throw broken();
  return { address: formatIp(bytes), port };
}

function broken(): PortholeError {
  return new PortholeError("protocol", "A balancer's connection begins with no PROXY header", {
    hint: "Turn the PROXY protocol on at the balancer, or take its address out of --proxy-protocol-from.",
  });
}
