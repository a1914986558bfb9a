import assert from "node:assert/strict";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { PortholeError } from "../errors.ts";
import { createCertificate, type CertificateExtension } from "./certificate.ts";
import { bitString, fromDer, octetString, oid, sequence, toDer, type Asn1 } from "./der.ts";
import { generateKey, parseKey } from "./key.ts";
import { oids } from "./oids.ts";
import { maxCertificateBytes, readPeer } from "./peer.ts";

const key = generateKey();
const options = { key, dnsNames: ["a.test"], notBefore: new Date("2026-01-01"), days: 30 };

function codeOf(der: Buffer): string {
  try {
    readPeer(der);
    return "accepted";
  } catch (reason) {
    assert.ok(reason instanceof PortholeError, String(reason));
    return reason.code;
  }
}

/** The same certificate with something changed before the signature. */
function forged(change: (fields: Asn1[]) => void, signer: KeyObject = key.privateKey): Buffer {
  const certificate = fromDer(createCertificate(options).der);
  const parts = certificate.value as Asn1[];
  change((parts[0] as Asn1).value as Asn1[]);
  parts[2] = bitString(0, sign("sha256", toDer(parts[0] as Asn1), signer));
  return toDer(certificate);
}

function custom(value: Buffer): CertificateExtension {
  return { oid: oids.custom, critical: false, value };
}

describe("readPeer", () => {
  it("reads the key, and nothing where there is no extension", () => {
    const peer = readPeer(createCertificate(options).der);
    assert.deepEqual(peer, {
      kind: "p256",
      spki: key.spki,
      fingerprint: key.fingerprint,
      clientId: key.clientId,
      extension: undefined,
    });
  });

  it("reads the extension's bytes as they are", () => {
    for (const hex of ["", "00", "ff0080", "04020102", "3003020101", "ab".repeat(4096)]) {
      const extension = Buffer.from(hex, "hex");
      assert.deepEqual(readPeer(createCertificate({ ...options, extension }).der).extension, extension);
    }
  });

  it("does not care for dates, names, purposes or critical extensions that it does not know", () => {
    const moreExtensions = [{ oid: "1.2.3.4", critical: true, value: Buffer.from("0500", "hex") }];
    const notBefore = new Date("2099-01-01");
    const { der } = createCertificate({ ...options, dnsNames: [], notBefore, isCa: true, moreExtensions });
    assert.equal(readPeer(der).fingerprint, key.fingerprint);
  });

  it("takes a certificate without extensions, of version 1", () => {
    const der = forged((fields) => {
      fields.shift();
      fields.pop();
    });
    assert.equal(readPeer(der).clientId, key.clientId);
  });

  it("refuses one that its own key has not signed", () => {
    assert.equal(codeOf(forged(() => {}, generateKey().privateKey)), "protocol");
    const { der } = createCertificate(options);
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    assert.equal(codeOf(der), "protocol");
  });

  it("refuses another key under somebody's signature", () => {
    const thief = forged((fields) => {
      fields[6] = fromDer(generateKey().spki);
    });
    assert.equal(codeOf(thief), "protocol");
  });

  it("names kinds of key that are not accepted", () => {
    const kinds = [
      generateKeyPairSync("ec", { namedCurve: "P-521" }),
      generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
      generateKeyPairSync("ed448"),
      generateKeyPairSync("rsa", { modulusLength: 1024 }),
      generateKeyPairSync("rsa-pss", { modulusLength: 2048 }),
      generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }),
    ];
    for (const { publicKey, privateKey } of kinds) {
      const spki = publicKey.export({ type: "spki", format: "der" });
      const der = forged(
        (fields) => {
          fields[6] = fromDer(spki);
        },
        privateKey.asymmetricKeyType === "ed448" ? key.privateKey : privateKey,
      );
      assert.equal(
        codeOf(der),
        "key",
        JSON.stringify(publicKey.asymmetricKeyDetails, (_, value) => String(value)),
      );
    }
  });

  it("has one spelling of a key: a compressed point is not another identity", () => {
    const point = key.spki.subarray(-64);
    const compressed = Buffer.concat([Buffer.of(2 + ((point[63] ?? 0) & 1)), point.subarray(0, 32)]);
    const algorithm = sequence([oid(oids.ecPublicKey), oid(oids.p256)]);
    const der = forged((fields) => {
      fields[6] = sequence([algorithm, bitString(0, compressed)]);
    });
    assert.equal(codeOf(der), "key");
  });

  it("refuses a custom extension that is not one OCTET STRING", () => {
    const inner = toDer(octetString(Buffer.from("x")));
    const bad = [
      [custom(Buffer.from("0500", "hex"))],
      [custom(toDer(sequence([octetString(Buffer.from("x"))])))],
      [custom(inner), custom(inner)],
      [custom(toDer(octetString(Buffer.alloc(4097))))],
    ];
    for (const moreExtensions of bad)
      assert.equal(codeOf(createCertificate({ ...options, moreExtensions }).der), "protocol");
    assert.equal(codeOf(createCertificate({ ...options, moreExtensions: [custom(inner)] }).der), "accepted");
    const trailing = forged((fields) => {
      const list = ((fields.at(-1) as Asn1).value as Asn1[])[0]?.value as Asn1[];
      list.push(sequence([oid(oids.custom), octetString(Buffer.concat([inner, inner]))]));
    });
    assert.equal(codeOf(trailing), "protocol");
  });

  it("refuses what is not exactly one certificate in DER", () => {
    const { der, pem } = createCertificate(options);
    const nested = Buffer.concat(Array.from({ length: 4000 }, () => Buffer.from("3080", "hex")));
    const others = [
      Buffer.alloc(0),
      Buffer.from(pem),
      Buffer.concat([der, Buffer.of(0)]),
      Buffer.concat([der, der]),
      Buffer.alloc(maxCertificateBytes + 1, 0x30),
      Buffer.alloc(100, 0x30),
      nested,
      key.spki,
      Buffer.from("3000", "hex"),
    ];
    for (const bytes of others) assert.equal(codeOf(bytes), "protocol");
    for (let end = 0; end < der.length; end++) assert.equal(codeOf(der.subarray(0, end)), "protocol");
  });

  it("ends with an error of ours, whatever the bytes", () => {
    const { der } = createCertificate({ ...options, extension: Buffer.from("hello") });
    const counts: Record<string, number> = {};
    for (let at = 0; at < der.length; at++)
      for (const value of [0, 0x30, 0x7f, 0x80, 0xff, (der[at] ?? 0) ^ 1]) {
        const bytes = Buffer.from(der);
        bytes[at] = value;
        if (bytes.equals(der)) continue;
        const code = codeOf(bytes);
        counts[code] = (counts[code] ?? 0) + 1;
      }
    assert.equal(counts.accepted, undefined);
    assert.deepEqual(Object.keys(counts).sort(), ["key", "protocol"]);
  });

  it("survives the same with a valid signature over the damage", () => {
    const { der } = createCertificate({ ...options, extension: Buffer.from("hello") });
    const body = toDer((fromDer(der).value as Asn1[])[0] as Asn1);
    for (let at = 0; at < body.length; at++)
      for (const value of [0, 0x80, 0xff]) {
        const bytes = Buffer.from(body);
        bytes[at] = value;
        const signature = toDer(bitString(0, sign("sha256", bytes, key.privateKey)));
        const rest = Buffer.concat([bytes, toDer(sequence([oid(oids.ecdsaWithSha256)])), signature]);
        const header = Buffer.from([0x30, 0x82, rest.length >> 8, rest.length & 0xff]);
        codeOf(Buffer.concat([header, rest])); // asserts that whatever is thrown is ours
      }
  });

  it("reads every kind that we make", () => {
    for (const { privateKey } of [
      generateKeyPairSync("ec", { namedCurve: "P-384" }),
      generateKeyPairSync("ed25519"),
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ]) {
      const own = parseKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "test");
      const peer = readPeer(createCertificate({ ...options, key: own }).der);
      assert.equal(peer.fingerprint, own.fingerprint);
      assert.equal(peer.kind, own.kind);
    }
  });
});
