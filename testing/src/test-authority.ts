import { createPublicKey, randomBytes, sign } from "node:crypto";
import { certificatePem, createCertificate, generateKey } from "@porthole/common/identity";
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
} from "../../common/src/identity/der.ts";
import { oids } from "../../common/src/identity/oids.ts";

const authorityKeyIdentifier = "2.5.29.35";
const name = "Test Authority";

/** Issues certificates with dates of the test's choosing, in the shape of a public authority's: leaf, then issuer. */
export class TestAuthority {
  readonly #key = generateKey();
  /** The authority's own certificate. */
  readonly pem: string;

  constructor({ now }: { readonly now: number }) {
    this.pem = createCertificate({
      key: this.#key,
      commonName: name,
      dnsNames: [],
      isCa: true,
      notBefore: new Date(now - 366 * 24 * 3_600_000),
      days: 36_500,
    }).pem;
  }

  /** The chain as PEM. `spki` is the public key in DER. */
  issue(certificate: {
    readonly dnsName: string;
    readonly spki: Buffer;
    readonly notBefore: number;
    readonly notAfter: number;
  }): string {
    const { dnsName, spki, notBefore, notAfter } = certificate;
    createPublicKey({ key: spki, format: "der", type: "spki" }); // as an authority would, refuse what is no key
    const serial = randomBytes(16);
    serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
    const algorithm = sequence([oid(oids.ecdsaWithSha256)]);
    const toBeSigned = sequence([
      tagged(0, [integer(Buffer.from([2]))]),
      integer(serial),
      algorithm,
      distinguishedName(name),
      sequence([time(notBefore), time(notAfter)]),
      sequence([]),
      fromDer(spki),
      tagged(3, [
        sequence([
          extension(oids.extendedKeyUsage, false, sequence([oid(oids.serverAuth)])),
          // The subject is empty, so the name is critical (RFC 5280 4.2.1.6).
          extension(oids.subjectAltName, true, sequence([tagged(2, dnsName)])),
          extension(authorityKeyIdentifier, false, sequence([tagged(0, this.#key.fingerprint.slice(0, 20))])),
        ]),
      ]),
    ]);
    const signature = sign("sha256", toDer(toBeSigned), this.#key.privateKey);
    return certificatePem(toDer(sequence([toBeSigned, algorithm, bitString(0, signature)]))) + this.pem;
  }
}

function extension(id: string, isCritical: boolean, value: Asn1): Asn1 {
  const critical = isCritical ? [primitive(asn1.Type.BOOLEAN, "\xff")] : [];
  return sequence([oid(id), ...critical, octetString(toDer(value))]);
}

function distinguishedName(commonName: string): Asn1 {
  const attribute = sequence([oid(oids.commonName), primitive(asn1.Type.UTF8, commonName)]);
  return sequence([asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [attribute])]);
}

function time(at: number): Asn1 {
  const digits = new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(/[-:T]/g, "");
  return new Date(at).getUTCFullYear() < 2050
    ? primitive(asn1.Type.UTCTIME, digits.slice(2))
    : primitive(asn1.Type.GENERALIZEDTIME, digits);
}
