import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import type { PortholeError } from "../errors.ts";
import { quicReason, skipUnless } from "@porthole/testing/skip";
import { createCertificate, maxExtensionBytes, type CertificateOptions } from "./certificate.ts";
import { asn1, fromDer, octetString, oid, sequence, toDer, type Asn1 } from "./der.ts";
import { generateKey, parseKey, type IdentityKey } from "./key.ts";
import { readPeer } from "./peer.ts";

function keyOf(key: KeyObject): IdentityKey {
  return parseKey(key.export({ type: "pkcs8", format: "pem" }).toString(), "test");
}

const keys: readonly IdentityKey[] = [
  generateKey(),
  keyOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
  keyOf(generateKeyPairSync("ed25519").privateKey),
  keyOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
];
const key = keys[0] as IdentityKey;
const yesterday = new Date(Date.now() - 86_400_000);
const plain = { key, dnsNames: ["a.example.test"], notBefore: yesterday, days: 30 };

function usage(text: RegExp): (thrown: PortholeError) => boolean {
  return (thrown) => thrown.code === "usage" && text.test(thrown.message);
}

describe("createCertificate", () => {
  it("says what it was told", () => {
    const certificate = createCertificate({
      key,
      dnsNames: ["A.example.test", "*.a.example.test", "localhost"],
      ipAddresses: ["127.0.0.1", "2001:db8::1"],
      notBefore: new Date("2026-01-02T03:04:05.678Z"),
      notAfter: new Date("2027-01-02T03:04:05Z"),
    });
    const read = new X509Certificate(certificate.pem);
    assert.deepEqual(read.raw, certificate.der);
    assert.equal(
      read.subjectAltName,
      "DNS:a.example.test, DNS:*.a.example.test, DNS:localhost, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1",
    );
    assert.equal(read.subject, "CN=A.example.test");
    assert.equal(read.issuer, read.subject);
    assert.equal(read.validFrom, "Jan  2 03:04:05 2026 GMT");
    assert.equal(read.validTo, "Jan  2 03:04:05 2027 GMT");
    assert.deepEqual(read.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]); // Node's name for the extended ones
    assert.equal(read.ca, false);
    assert.match(read.serialNumber, /^[4-7][0-9A-F]{31}$/);
  });

  it("is signed by its own key, of every kind", () => {
    for (const each of keys) {
      const { der } = createCertificate({ ...plain, key: each });
      const read = new X509Certificate(der);
      assert.ok(read.verify(each.publicKey), each.kind);
      assert.ok(read.checkIssued(read), each.kind);
      assert.ok(read.checkPrivateKey(each.privateKey), each.kind);
      assert.deepEqual(read.publicKey.export({ type: "spki", format: "der" }), each.spki);
    }
  });

  it("is DER: reading and writing it again changes nothing", () => {
    for (let round = 0; round < 50; round++) {
      const { der } = createCertificate({ ...plain, key: generateKey(), extension: randomBytes(round * 5) });
      assert.deepEqual(toDer(fromDer(der)), der);
    }
  });

  it("writes years from 2050 on as GeneralizedTime", () => {
    const { der } = createCertificate({
      key,
      dnsNames: [],
      notBefore: new Date("2049-12-31T23:59:59Z"),
      notAfter: new Date("2050-01-01T00:00:00Z"),
    });
    const validity = (fromDer(der).value as Asn1[]).slice(0, 1).flatMap((body) => body.value as Asn1[])[4];
    assert.deepEqual(
      (validity as { value: Asn1[] }).value.map(({ type, value }) => [type, value]),
      [
        [asn1.Type.UTCTIME, "491231235959Z"],
        [asn1.Type.GENERALIZEDTIME, "20500101000000Z"],
      ],
    );
    assert.equal(new X509Certificate(der).validTo, "Jan  1 00:00:00 2050 GMT");
  });

  it("takes the client id as its name where the first host name is too long or there is none", () => {
    const long = `${"a".repeat(60)}.example.test`;
    for (const dnsNames of [[long], []])
      assert.equal(new X509Certificate(createCertificate({ ...plain, dnsNames }).der).subject, `CN=${key.clientId}`);
  });

  it("carries the custom bytes in an OCTET STRING inside the extension", () => {
    const extension = Buffer.from("ff00804142", "hex");
    const { der } = createCertificate({ ...plain, extension });
    // SEQUENCE { OID 1.3.6.1.4.1.65535.1, OCTET STRING { OCTET STRING { the bytes } } }, not critical
    const expected = sequence([oid("1.3.6.1.4.1.65535.1"), octetString(toDer(octetString(extension)))]);
    assert.ok(der.includes(toDer(expected)));
    assert.ok(der.includes(Buffer.from("04070405ff00804142", "hex")));
  });

  it("refuses what can't be put into a certificate", () => {
    const make = (more: Partial<CertificateOptions>) => () => createCertificate({ ...plain, ...more });
    assert.throws(make({ dnsNames: ["a b"] }), usage(/a b/));
    assert.throws(make({ dnsNames: ["192.0.2.1"] }), usage(/192\.0\.2\.1/));
    assert.throws(make({ dnsNames: ["*."] }), usage(/\*\./));
    assert.throws(make({ ipAddresses: ["a.test"] }), usage(/a\.test/));
    assert.throws(make({ commonName: "x".repeat(65) }), usage(/too long/));
    assert.throws(make({ extension: Buffer.alloc(maxExtensionBytes + 1) }), usage(/4097 bytes/));
    createCertificate({ ...plain, extension: Buffer.alloc(maxExtensionBytes) });
  });

  for (const each of keys)
    for (const version of ["TLSv1.2", "TLSv1.3"] as const)
      it(`serves and authenticates in ${version}, trusted only by itself (${each.kind})`, async () => {
        const server = { pem: createCertificate({ ...plain, key: each, ipAddresses: ["127.0.0.1"] }).pem, key: each };
        const client = createCertificate({ ...plain, key: each, extension: Buffer.from("hello") });
        const listener = tls.createServer({
          cert: server.pem,
          key: server.key.pem,
          ca: client.pem,
          requestCert: true,
          rejectUnauthorized: true,
          minVersion: version,
          maxVersion: version,
        });
        const accepted = once(listener, "secureConnection") as Promise<[tls.TLSSocket]>;
        listener.listen(0, "127.0.0.1");
        await once(listener, "listening");
        const socket = tls.connect({
          host: "127.0.0.1",
          port: (listener.address() as AddressInfo).port,
          servername: "a.example.test",
          ca: server.pem,
          cert: client.pem,
          key: each.pem,
        });
        try {
          await once(socket, "secureConnect");
          const [peer] = await accepted;
          assert.ok(socket.authorized && peer.authorized);
          const certificate = peer.getPeerX509Certificate();
          assert.ok(certificate);
          const identity = readPeer(certificate.raw);
          assert.equal(identity.fingerprint, each.fingerprint);
          assert.deepEqual(identity.extension, Buffer.from("hello"));
          peer.destroy();
        } finally {
          socket.destroy();
          listener.close();
        }
      });

  it("is its own only trust anchor for BoringSSL (quiche)", function () {
    const quiche = loadQuiche();
    skipUnless(this, quiche, quicReason("no QUIC binary for this platform"));
    for (const each of keys.filter(({ kind }) => kind !== "ed25519")) {
      const { pem } = createCertificate({ ...plain, key: each });
      assert.ok(handshake(quiche, each, pem, pem), each.kind);
    }
    const other = createCertificate(plain).pem;
    assert.ok(!handshake(quiche, key, createCertificate({ ...plain, key: generateKey() }).pem, other));
  });
});

interface Connection {
  send(buffer: Buffer): [number, unknown] | null;
  recv(bytes: Buffer, from: object): number;
  isEstablished(): boolean;
}

interface Quiche {
  readonly Config: {
    withBoringSslCtx(
      verify: boolean,
      allowFailure: boolean,
      ca: Buffer | null,
      key: Buffer[],
      cert: Buffer[],
    ): { setApplicationProtos(names: string[]): void };
  };
  readonly Connection: {
    connect(name: string, id: Buffer, from: object, to: object, config: object): Connection;
    accept(id: Buffer, originalId: null, from: object, to: object, config: object): Connection;
  };
}

/** The engine of QUIC links, where this machine has its binding. */
function loadQuiche(): Quiche | undefined {
  try {
    return (createRequire(import.meta.url)("@matrixai/quic/dist/native/quiche.js") as { default: Quiche }).default;
  } catch {
    return undefined;
  }
}

/** Whether a client that trusts only `ca` completes a handshake with a server that presents `cert`. */
function handshake(quiche: Quiche, identity: IdentityKey, ca: string, cert: string): boolean {
  const configure = (verify: boolean, trusted: string | undefined): object => {
    const authority = trusted === undefined ? null : Buffer.from(trusted);
    const own = Buffer.from(identity.pem);
    const config = quiche.Config.withBoringSslCtx(verify, !verify, authority, [own], [Buffer.from(cert)]);
    config.setApplicationProtos(["test"]);
    return config;
  };
  const near = { host: "127.0.0.1", port: 1 };
  const far = { host: "127.0.0.1", port: 2 };
  const client = quiche.Connection.connect("a.example.test", randomBytes(20), near, far, configure(true, ca));
  const server = quiche.Connection.accept(randomBytes(20), null, far, near, configure(false, undefined));
  const buffer = Buffer.alloc(1350);
  const pump = (from: Connection, to: Connection, path: object): void => {
    for (let sent = from.send(buffer); sent; sent = from.send(buffer)) to.recv(buffer.subarray(0, sent[0]), path);
  };
  try {
    for (let round = 0; round < 10; round++) {
      pump(client, server, { from: near, to: far });
      pump(server, client, { from: far, to: near });
    }
  } catch {
    return false; // TlsFail
  }
  return client.isEstablished() && server.isEstablished();
}
