import { sign } from "node:crypto";
import { PortholeError } from "../../errors.ts";
import {
  asn1,
  bitString,
  fromDer,
  integer,
  octetString,
  oid,
  primitive,
  sequence,
  tagged,
  toDer,
  type Asn1,
} from "../../identity/der.ts";
import type { IdentityKey } from "../../identity/index.ts";
import { oids } from "../../identity/oids.ts";

const extensionRequest = "1.2.840.113549.1.9.14"; // RFC 2985 5.4.2

/**
 * A certificate signing request (RFC 2986) for one name, as PEM. The subject stays empty: names are in the subjectAltName, and one
 * of more than 64 characters would not fit into a common name. Made here so that the private key is seen by nothing but node:crypto.
 */
export function createCsr(name: string, key: IdentityKey): string {
  const { hash, identifier } = signatureOf(key);
  const subjectAltName = sequence([oid(oids.subjectAltName), octetString(toDer(sequence([tagged(2, name)])))]);
  const toBeSigned = sequence([
    integer(Buffer.from([0])), // v1, the only one
    sequence([]),
    fromDer(key.spki),
    tagged(0, [sequence([oid(extensionRequest), set([sequence([subjectAltName])])])]),
  ]);
  const signature = sign(hash, toDer(toBeSigned), key.privateKey);
  const der = toDer(sequence([toBeSigned, identifier, bitString(0, signature)]));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** Whether a public certificate authority takes the key: the Baseline Requirements have no Ed25519. */
export function assertCertifiable(key: IdentityKey): void {
  signatureOf(key);
}

function signatureOf(key: IdentityKey): { readonly hash: string; readonly identifier: Asn1 } {
  switch (key.kind) {
    case "p256":
      return { hash: "sha256", identifier: sequence([oid(oids.ecdsaWithSha256)]) };
    case "p384":
      return { hash: "sha384", identifier: sequence([oid(oids.ecdsaWithSha384)]) };
    case "rsa":
      return { hash: "sha256", identifier: sequence([oid(oids.sha256WithRsa), primitive(asn1.Type.NULL, "")]) };
    case "ed25519":
      throw new PortholeError("key", "Certificate authorities give no certificates for Ed25519 keys", {
        hint: "Use an ECDSA P-256 key; with this one visitors see a self-signed certificate.",
      });
  }
}

function set(items: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, items);
}
