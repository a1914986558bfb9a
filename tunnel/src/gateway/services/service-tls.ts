import { X509Certificate } from "node:crypto";
import net, { BlockList } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError, setting } from "@porthole/common/errors";

/** How the certificate of a service is judged. */
export interface ServiceTrust {
  /** PEM certificates that are trusted besides the public CAs. */
  readonly ca?: string | undefined;
  /** Every certificate is accepted. */
  readonly insecure?: boolean | undefined;
}

const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Returns the PEM certificates of a text without anything else. Throws `usage` where there is none, or one that can't be read. */
export function parseCertificates(text: string): string {
  const found = text.match(certificate) ?? [];
  if (found.length === 0 || !found.every(isCertificate))
    throw new PortholeError("usage", "There is no certificate in PEM form, or one that can't be read", {
      hint: "A PEM certificate begins with -----BEGIN CERTIFICATE-----.",
    });
  return found.join("\n");
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

const contexts = new Map<string, tls.SecureContext>();
const maxContexts = 100;

/** Trusts these CAs besides those of Node. Kept, because reading all of them takes milliseconds. */
export function contextTrusting(ca: string): tls.SecureContext {
  const known = contexts.get(ca);
  if (known) return known;
  // Node 22.15 and later; it includes NODE_EXTRA_CA_CERTS.
  const { getCACertificates } = tls as { readonly getCACertificates?: (type: "default") => string[] };
  const context = tls.createSecureContext({ ca: [...(getCACertificates?.("default") ?? tls.rootCertificates), ca] });
  if (contexts.size >= maxContexts) contexts.clear();
  contexts.set(ca, context);
  return context;
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
    hint: `Name its CA with ${setting("local-ca")}, or accept any certificate with ${setting("local-insecure")}.`,
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
