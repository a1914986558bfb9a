import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { certificatePem, createCertificate, generateKey } from "@porthole/common/identity";
import { fileKnownRelays, memoryKnownRelays, RelayTrust, type KnownRelays, type TrustPolicy } from "./trust.ts";

const server = "relay.example:4433";

function relay() {
  const key = generateKey();
  const { der } = createCertificate({ key, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
  return { der, pem: certificatePem(der), fingerprint: key.fingerprint };
}

describe("trust in a relay", () => {
  const [right, wrong] = [relay(), relay()];

  async function trust(policy: TrustPolicy, ...seen: (typeof right)[]): Promise<[RelayTrust, KnownRelays]> {
    const known = memoryKnownRelays();
    for (const { fingerprint, pem } of seen) await known.set(server, { fingerprint, certificate: pem });
    return [new RelayTrust(server, policy, known), known];
  }

  it("by a certificate authority: the transport checks, and nothing is remembered", async () => {
    const [ca, known] = await trust({ kind: "ca" });
    assert.deepEqual([ca.http2, ca.quic], [{ kind: "ca" }, { kind: "ca" }]);
    ca.verify(wrong.der);
    await ca.remember(wrong.der);
    assert.equal(known.get(server), undefined);
  });

  it("of the insecure kind: nobody checks", async () => {
    const [insecure, known] = await trust({ kind: "insecure" });
    assert.deepEqual([insecure.http2, insecure.quic], [{ kind: "unchecked" }, { kind: "unchecked" }]);
    insecure.verify(wrong.der);
    await insecure.remember(wrong.der);
    assert.equal(known.get(server), undefined);
  });

  it("by a pin: HTTP/2 shows the certificate, and only then QUIC has one to check against", async () => {
    const [pinned, known] = await trust({ kind: "pin", fingerprint: right.fingerprint });
    assert.deepEqual(pinned.http2, { kind: "unchecked" });
    assert.equal(pinned.quic, undefined);
    assert.throws(() => pinned.verify(wrong.der), {
      code: "untrusted",
      message: `${server} is not the relay that was pinned: its key is ${wrong.fingerprint}, expected ${right.fingerprint}`,
      hint: /present fingerprint/,
    });
    pinned.verify(right.der);
    await pinned.remember(right.der);
    assert.deepEqual(pinned.quic, { kind: "pinned", pem: right.pem });
    assert.deepEqual(known.get(server), { fingerprint: right.fingerprint, certificate: right.pem });
  });

  it("by a pin that is not the remembered one: the certificate is requested again", async () => {
    const [pinned] = await trust({ kind: "pin", fingerprint: right.fingerprint }, wrong);
    assert.equal(pinned.quic, undefined);
  });

  it("at first use: the first relay, and no other afterwards", async () => {
    const [first] = await trust({ kind: "first-use" });
    first.verify(right.der);
    await first.remember(right.der);
    first.verify(right.der);
    assert.throws(() => first.verify(wrong.der), { code: "untrusted", hint: /give the fingerprint/ });
  });

  it("notifies waiters for a certificate", async () => {
    const [first] = await trust({ kind: "first-use" });
    const { signal } = new AbortController();
    const waiting = Promise.all([first.whenSeen(signal), first.whenSeen(signal)]);
    await first.remember(right.der);
    assert.deepEqual(
      await waiting,
      Array.from({ length: 2 }, () => ({ kind: "pinned", pem: right.pem })),
    );
    assert.deepEqual(await first.whenSeen(signal), { kind: "pinned", pem: right.pem });
  });

  it("lets those go who have waited long enough", async () => {
    const [first] = await trust({ kind: "first-use" });
    const stop = new AbortController();
    const waiting = first.whenSeen(stop.signal);
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(waiting, reason);
  });
});

describe("the file of known relays", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-known-"));
    path = join(folder, "known-relays.json");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("remembers between runs", async () => {
    const { fingerprint, pem } = relay();
    await (await fileKnownRelays(path)).set(server, { fingerprint, certificate: pem });
    assert.deepEqual((await fileKnownRelays(path)).get(server), { fingerprint, certificate: pem });
    assert.equal((await fileKnownRelays(path)).get("other"), undefined);
  });

  for (const [what, content] of [
    ["cut short", '{"relay.example:4433":{"finger'],
    ["of other content", '{"relay.example:4433":"yes"}'],
    ["with a pin that is none", '{"relay.example:4433":{"fingerprint":"abc","certificate":""}}'],
  ] as const) {
    it(`is an error when it is ${what}, and stays as it is`, async () => {
      await writeFile(path, content);
      await assert.rejects(fileKnownRelays(path), (error: Error & { code: string }) => {
        assert.equal(error.code, "state");
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
      assert.equal(await readFile(path, "utf8"), content);
    });
  }
});
