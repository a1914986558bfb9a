import { createHash } from "node:crypto";
import { octetString, toDer } from "../../identity/der.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";

/** id-pe-acmeIdentifier, RFC 8737 6.1. */
export const acmeIdentifier = "1.3.6.1.5.5.7.1.31";

const dayMs = 24 * 3_600_000;

/** The certificate and key for the authority's validators (RFC 8737), in place of the name's usual ones. Both in PEM. */
export interface ChallengeCertificate {
  readonly certificate: string;
  readonly key: string;
}

/**
 * The certificate of RFC 8737 3: self-signed, exactly one name, and the hash of the key authorization in a critical extension.
 * With a key of its own, P-256 like all others that a server of ours has at once. Not acme-client's: with an EC key that one
 * allows no TLS 1.2 handshake.
 */
export function challengeCertificate(name: string, keyAuthorization: string, now: number): ChallengeCertificate {
  const key = generateKey();
  const digest = createHash("sha256").update(keyAuthorization).digest();
  const { pem } = createCertificate({
    key,
    dnsNames: [name],
    // The subject says nothing to a validator, and a name may be too long for it.
    commonName: "ACME challenge",
    notBefore: new Date(now - 2 * dayMs),
    notAfter: new Date(now + 5 * dayMs),
    moreExtensions: [{ oid: acmeIdentifier, critical: true, value: toDer(octetString(digest)) }],
  });
  return { certificate: pem, key: key.pem };
}
