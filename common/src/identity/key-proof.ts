import { createPublicKey, X509Certificate } from "node:crypto";
import { PortholeError } from "../errors.ts";
import { isGrant, readGrant } from "./delegation.ts";
import type { IdentityKey } from "./key.ts";
import { readPeer, type PeerIdentity } from "./peer.ts";
import { isSigned, signText } from "./sign-text.ts";

/** The link over which a key is to be exposed. */
export interface ProvenLink {
  /** Fingerprint of the key that TLS has proved. */
  readonly fingerprint: string;
  /** The relay's random challenge for this link: 32 bytes in hex. */
  readonly challenge: string;
}

/**
 * Shows that the key's holder wants it to be exposed over this link: `CERTIFICATE.SIGNATURE`, both base64url. The certificate is the
 * key's self-signed one, PEM. It is worth nothing elsewhere: not over another key's link, not to another relay, and not a second time,
 * because each link has a challenge of its own.
 */
export function proveKey(key: IdentityKey, certificatePem: string, link: ProvenLink): string {
  const { raw } = new X509Certificate(certificatePem);
  return `${raw.toString("base64url")}.${signText(key, statement(link))}`;
}

/** A key that may be exposed over a link. */
export interface ProvenKey extends PeerIdentity {
  /** When that ends, for a key that lets the link's own speak for it. */
  readonly until?: number;
}

/**
 * Whose key it is. In place of a proof there may be a grant for the link's key: TLS has proved that one. Throws `protocol` when it is not
 * for this link or not the key's, `key` for a kind of key that we don't accept.
 */
export function readKeyProof(proof: string, link: ProvenLink): ProvenKey {
  if (isGrant(proof)) {
    const { by, until } = readGrant(proof, link.fingerprint);
    return { ...by, extension: undefined, until };
  }
  const [certificate = "", signature = "", ...rest] = proof.split(".");
  const peer = readPeer(Buffer.from(certificate, "base64url"));
  const publicKey = createPublicKey({ key: peer.spki, type: "spki", format: "der" });
  if (rest.length > 0 || !isSigned({ kind: peer.kind, publicKey }, statement(link), signature))
    throw new PortholeError("protocol", "The proof is not signed by its key for this link");
  return peer;
}

/** No other text that a key of ours signs begins like this. */
function statement({ fingerprint, challenge }: ProvenLink): string {
  return `porthole name 1\n${fingerprint}\n${challenge}\n`;
}
