import { X509Certificate } from "node:crypto";
import { PortholeError } from "../../errors.ts";
import type { IdentityKey } from "../../identity/index.ts";

const maxCertificates = 10;

/** A certificate from an authority with what leads from it towards a root. */
export interface Chain {
  /** Only the certificates, the leaf first. */
  readonly pem: string;
  readonly leaf: X509Certificate;
  readonly length: number;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** A chain that holds together: each certificate signed by the next. Throws `state`; `where` begins the sentence. */
export function parseChain(content: string, where: string): Chain {
  const text = content.replaceAll("\r\n", "\n");
  const blocks = text.match(/^-----BEGIN CERTIFICATE-----$[^-]*^-----END CERTIFICATE-----$/gm) ?? [];
  const begun = text.match(/^-----BEGIN CERTIFICATE-----$/gm)?.length ?? 0;
  if (begun === 0) throw damaged(where, "has no certificate");
  if (begun !== blocks.length) throw damaged(where, "ends in the middle of a certificate");
  if (blocks.length > maxCertificates) throw damaged(where, `has ${blocks.length} certificates`);
  let certificates: X509Certificate[];
  try {
    certificates = blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw damaged(where, "has a certificate that can't be decoded", cause);
  }
  for (const [index, certificate] of certificates.entries()) {
    const issuer = certificates[index + 1];
    if (issuer && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      throw damaged(where, "has certificates that don't belong together");
  }
  const leaf = certificates[0] as X509Certificate;
  return {
    pem: `${blocks.join("\n")}\n`,
    leaf,
    length: certificates.length,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

/** Why the chain can't serve this name with this key; undefined if it can. Its dates are another question. */
export function validateChain({ leaf }: Chain, name: string, key: IdentityKey): string | undefined {
  if (leaf.checkIssued(leaf)) return "it is self-signed";
  if (leaf.checkHost(name, { subject: "never" }) === undefined) return `it is not for ${name}`;
  if (!leaf.publicKey.equals(key.publicKey)) return "it is for another key";
  return undefined;
}

function damaged(where: string, what: string, cause?: unknown): PortholeError {
  return new PortholeError("state", `${where} ${what}`, {
    hint: "A new certificate is ordered if there is no other way.",
    ...(cause !== undefined && { cause }),
  });
}
