import net, { BlockList } from "node:net";
import type { TLSSocket } from "node:tls";
import { PortholeError } from "@porthole/common/errors";

/** How the certificate of a service is judged. */
export interface ServiceTrust {
  /** PEM certificates that are trusted besides the public CAs. */
  readonly ca?: string | undefined;
  /** Every certificate is accepted. */
  readonly insecure?: boolean | undefined;
}

const local = new BlockList();
for (const [network, bits] of [
  ...[["127.0.0.0", 8] as const, ["10.0.0.0", 8] as const, ["172.16.0.0", 12] as const, ["192.168.0.0", 16] as const],
  ["169.254.0.0", 16] as const,
])
  local.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [["::1", 128] as const, ["fc00::", 7] as const, ["fe80::", 10] as const])
  local.addSubnet(network, bits, "ipv6");

/** Whether an address is this machine's or of a private network (RFC 1918, RFC 4193). A Unix socket has none. */
export function isLocalAddress(address: string | undefined): boolean {
  if (address === undefined) return true;
  const plain = /^::ffff:([\d.]+)$/i.exec(address)?.[1] ?? address.split("%", 1)[0] ?? "";
  const family = net.isIP(plain);
  return family !== 0 && local.check(plain, family === 4 ? "ipv4" : "ipv6");
}

/**
 * Judges a service's certificate after the handshake, before a byte is sent. One that no CA vouches for is accepted of an address of this machine or
 * of a private network: development servers make their own, under any name. Returns why it is not trusted though accepted. Throws `untrusted`.
 */
export function judgeCertificate(
  socket: TLSSocket,
  {
    text,
    address,
    trust,
  }: { readonly text: string; readonly address: string | undefined; readonly trust: ServiceTrust | undefined },
): string | undefined {
  if (socket.authorized) return undefined;
  const { code, message } = (socket.authorizationError ?? {}) as Partial<NodeJS.ErrnoException>;
  const reason = reasons[code ?? String(socket.authorizationError)] ?? message ?? code ?? "it is not valid";
  if (trust?.insecure || (isLocalAddress(address) && trust?.ca === undefined)) return reason;
  throw new PortholeError("untrusted", `The certificate of ${text} is not trusted: ${reason}`, {
    hint: "Add its CA to NODE_EXTRA_CA_CERTS, or give the service's address in this machine or a private network.",
  });
}

const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its CA is not known",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its CA is not known",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its CA is not known",
  CERT_HAS_EXPIRED: "it has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name",
};
