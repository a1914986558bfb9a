import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "../../identity/index.ts";
import { TestAuthority } from "@porthole/testing/test-authority";
import { Secret, systemClock } from "../../util/index.ts";
import { parseChain } from "../order/chain.ts";
import type { CertificateRecord } from "./record.ts";
import { fileStore } from "./store.ts";

const now = Date.UTC(2026, 0, 1);

describe("certificate store", () => {
  const key = generateKey();
  const authority = new TestAuthority({ now });
  const chainPem = authority.issue({ dnsName: "a.test", spki: key.spki, notBefore: now, notAfter: now + 1e9 });
  const record: CertificateRecord = {
    name: "a.test",
    directoryUrl: "https://ca.test/directory",
    chain: parseChain(chainPem, "It"),
    keyPem: new Secret(key.pem),
    jitter: 0.25,
    window: { start: 1, end: 2, explanationUrl: "https://ca.test/why" },
    checkWindowAt: 3,
    retry: {
      failures: 2,
      invalidAt: [1, 2],
      failedAt: 2,
      startedAt: 3,
      nextAttemptAt: 4,
      lastError: { code: "ca", message: "two\nlines\n-----BEGIN CERTIFICATE-----", hint: "do" },
    },
  };
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-store-"));
    path = join(folder, "cert.pem");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("gives back all that was written, in one file for nobody else to read", async () => {
    const store = fileStore(path, systemClock);
    assert.deepEqual(await store.read(), { record: undefined });
    await store.write(record);
    const read = await store.read();
    assert.equal(read.damage, undefined);
    const { chain, keyPem, ...rest } = read.record ?? assert.fail();
    const { chain: _chain, keyPem: _key, ...expected } = record;
    assert.deepEqual(rest, expected);
    assert.equal(chain?.pem, record.chain?.pem);
    assert.equal(keyPem?.reveal(), key.pem);
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ["cert.pem"]);
  });

  it("reads a chain that another program wrote, with its line ends", async () => {
    await writeFile(path, `subject=CN = a.test\r\n${chainPem.replaceAll("\n", "\r\n")}`);
    const { record: read, damage } = await fileStore(path, systemClock).read();
    assert.equal(damage, undefined);
    assert.equal(read?.chain?.pem, chainPem);
    assert.equal(read?.directoryUrl, undefined);
  });

  it("says what is damaged, keeps what is whole, and moves the file aside before it writes", async () => {
    const store = fileStore(path, systemClock);
    await store.write(record);
    const whole = await readFile(path, "utf8");
    const other = new TestAuthority({ now }).pem;
    /** What is done to the file, what is said, and whether the chain survives. */
    const cases: readonly (readonly [string, RegExp, boolean])[] = [
      ["", /damaged/, false],
      ["not ours at all\n", /damaged/, false],
      [whole.replace('"version": 1', '"version": 2'), /version 2/, true],
      [whole.replace('"failures": 2', '"failures": "many"'), /retry/, true],
      [whole.slice(0, -40), /middle of a certificate/, false],
      [whole.slice(0, whole.lastIndexOf("-----BEGIN")), /1 of 2 certificates/, false],
      [whole.slice(0, whole.indexOf("\n-----BEGIN CERT") + 1), /no certificate/, false],
      [whole.replace(authority.pem, other), /don't belong together/, false],
    ];
    for (const [text, said, survives] of cases) {
      await writeFile(path, text);
      const { record: read, damage } = await store.read();
      assert.equal(damage?.code, "state");
      assert.match(damage?.message ?? "", said);
      assert.equal(read?.chain !== undefined, survives, String(said));
      await store.write(record);
      assert.equal(await readFile(`${path}.damaged`, "utf8"), text);
      assert.equal((await store.read()).damage, undefined);
    }
  });

  it("no flipped bit of a certificate goes unnoticed", async () => {
    const store = fileStore(path, systemClock);
    await store.write(record);
    const whole = await readFile(path);
    const begin = whole.indexOf("\n-----BEGIN CERTIFICATE-----") + 1;
    const end = whole.indexOf("\n-----END CERTIFICATE-----");
    for (let offset = begin; offset < end; offset += 7) {
      const damaged = Buffer.from(whole);
      damaged[offset] = (damaged[offset] ?? 0) ^ 1;
      await writeFile(path, damaged);
      const { record: read, damage } = await store.read();
      assert.ok(damage !== undefined && read?.chain === undefined, `byte ${offset - begin}`);
    }
  });

  it("an error leaves the old record where it is", async () => {
    const store = fileStore(join(path, "x", "cert.pem"), systemClock);
    await writeFile(path, "a file where a folder should be");
    await assert.rejects(store.write(record), { code: "state" });
    await assert.rejects(store.read(), { code: "state" });
    await assert.rejects(fileStore(folder, systemClock).read(), { code: "state" });
  });
});
