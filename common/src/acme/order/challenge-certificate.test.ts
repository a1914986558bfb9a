import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { asn1, fromDer, toDer, type Asn1 } from "../../identity/der.ts";
import { oids } from "../../identity/oids.ts";
import { acmeIdentifier, challengeCertificate } from "./challenge-certificate.ts";

const keyAuthorization = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
const now = Date.UTC(2026, 0, 1);

interface Extension {
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

function parts(value: Asn1 | undefined): Asn1[] {
  assert.ok(Array.isArray(value?.value));
  return value.value;
}

function read(pem: string) {
  const certificate = new X509Certificate(pem);
  const fields = parts(parts(fromDer(certificate.raw))[0]);
  const [issuer, subject] = [fields[3], fields[5]].map((name) => toDer(name as Asn1));
  const extensions = parts(parts(fields.at(-1))[0]).map((each): Extension => {
    const [id, ...rest] = parts(each);
    return {
      id: asn1.derToOid(id?.value as string),
      isCritical: rest.length === 2,
      value: Buffer.from(rest.at(-1)?.value as string, "latin1"),
    };
  });
  return { certificate, issuer, subject, extensions };
}

/** What Let's Encrypt demands (Boulder, va/tlsalpn.go), which is more than RFC 8737 and more than Pebble. */
describe("challenge certificate", () => {
  const names = ["abc.tunnel.test", `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.tunnel.test`];
  for (const name of names) {
    it(`for ${name.slice(0, 20)} passes Boulder's checks`, () => {
      const made = challengeCertificate(name, keyAuthorization, now);
      const { certificate, issuer, subject, extensions } = read(made.certificate);
      assert.ok(certificate.verify(certificate.publicKey), "signed with its own key");
      assert.deepEqual(issuer, subject);
      assert.equal(new Set(extensions.map(({ id }) => id)).size, extensions.length, "no extension twice");

      const [san, ...moreSans] = extensions.filter(({ id }) => id === oids.subjectAltName);
      assert.equal(moreSans.length, 0);
      const bytes = Buffer.from(name, "ascii");
      const lengthOf = (length: number): number[] => (length < 128 ? [length] : [0x81, length]);
      const entry = Buffer.concat([Buffer.from([0x82, ...lengthOf(bytes.length)]), bytes]);
      assert.deepEqual(san?.value, Buffer.concat([Buffer.from([0x30, ...lengthOf(entry.length)]), entry]));

      const [identifier] = extensions.filter(({ id }) => id === acmeIdentifier);
      assert.equal(identifier?.isCritical, true);
      const digest = createHash("sha256").update(keyAuthorization).digest();
      assert.deepEqual(identifier?.value, Buffer.concat([Buffer.from([0x04, 0x20]), digest]));
    });
  }

  it("is P-256, with a key of its own each time, and allows ECDSA in TLS 1.2 (no keyUsage that forbids it)", () => {
    const [one, other] = [1, 2].map(() => challengeCertificate("abc.tunnel.test", keyAuthorization, now));
    assert.notEqual(one?.key, other?.key);
    const { certificate, extensions } = read(one?.certificate ?? "");
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    assert.equal(extensions.filter(({ id }) => id === oids.keyUsage).length, 0);
    assert.ok(Date.parse(certificate.validFrom) < now && now < Date.parse(certificate.validTo));
  });

  it("is not made for what is not a host name", () => {
    for (const name of ["", "*.tunnel.test", "127.0.0.1"])
      assert.throws(() => challengeCertificate(name.replace("*", "%"), keyAuthorization, now), { code: "usage" });
  });
});
