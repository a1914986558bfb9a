import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import type { PortholeError } from "../errors.ts";
import { silentLogger } from "../log.ts";
import { asNobody } from "@porthole/testing/as-nobody";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { createCertificate } from "./certificate.ts";
import { clientId, fingerprint } from "./client-id.ts";
import { Secret } from "../util/secret.ts";
import { encryptKey, generateKey, loadOrCreateKey, parseGivenKey, parseKey } from "./key.ts";

const noModes = platformReason("Windows has neither file modes nor links that anyone may make");

function pkcs8(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function coded(code: string, text: RegExp): (thrown: PortholeError) => boolean {
  return (thrown) => {
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, text);
    assert.ok(thrown.hint, "a hint");
    return true;
  };
}

const ec = (namedCurve: string): KeyObject => generateKeyPairSync("ec", { namedCurve }).privateKey;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

describe("identity keys", () => {
  it("are P-256 when made here, and read back the same", () => {
    const key = generateKey();
    assert.equal(key.kind, "p256");
    assert.equal(key.spki.length, 91);
    assert.equal(key.fingerprint, fingerprint(key.spki));
    assert.equal(key.clientId, clientId(key.spki));
    assert.match(key.pem, /^-----BEGIN PRIVATE KEY-----\n/);
    assert.equal(parseKey(key.pem, "test").fingerprint, key.fingerprint);
  });

  it("are not shown when they are printed", () => {
    const key = generateKey();
    const line = key.pem.split("\n")[1] ?? "";
    for (const text of [inspect(key, { depth: 9 }), JSON.stringify(key), JSON.stringify({ ...key })])
      assert.ok(!text.includes(line) && !text.includes("PRIVATE KEY"));
  });

  it("are encrypted with a passphrase, and opened with the same one only", () => {
    const key = generateKey();
    const pem = encryptKey(key, new Secret("correct horse"));
    assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    assert.equal(parseKey(pem, "test", new Secret("correct horse")).pem, key.pem);
    assert.equal(parseKey(key.pem, "test", new Secret("not needed")).pem, key.pem);
    assert.throws(() => parseKey(pem, "test", new Secret("battery staple")), { code: "key", message: /passphrase/ });
    assert.throws(() => parseKey(pem, "test"), { code: "key", message: /encrypted/ });
  });

  it("may be P-384, Ed25519 or RSA, in PKCS#8, SEC1 or PKCS#1", () => {
    const p256 = ec("P-256");
    const cases: readonly [string, string][] = [
      [pkcs8(p256), "p256"],
      [p256.export({ type: "sec1", format: "pem" }).toString(), "p256"],
      [pkcs8(ec("P-384")), "p384"],
      [pkcs8(generateKeyPairSync("ed25519").privateKey), "ed25519"],
      [pkcs8(rsa), "rsa"],
      [rsa.export({ type: "pkcs1", format: "pem" }).toString(), "rsa"],
    ];
    for (const [pem, kind] of cases) assert.equal(parseKey(pem, "test").kind, kind);
    assert.equal(parseKey(cases[0]?.[0] ?? "", "a").fingerprint, parseKey(cases[1]?.[0] ?? "", "b").fingerprint);
  });

  it("are found among other things in a PEM file", () => {
    const key = generateKey();
    const { pem } = createCertificate({ key, dnsNames: ["a.test"], notBefore: new Date(), days: 1 });
    const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    for (const text of [pem + key.pem, `comment\n${parameters}${key.pem}`, key.pem.replaceAll("\n", "\r\n")])
      assert.equal(parseKey(text, "test").fingerprint, key.fingerprint);
  });

  it("of kinds that can't serve are refused with the reason", () => {
    const encryption = { type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "x" } as const;
    const encrypted = (key: KeyObject): string => key.export(encryption).toString();
    const traditional = rsa.export({ ...encryption, type: "pkcs1" }).toString();
    const key = generateKey();
    const { pem: certificate } = createCertificate({ key, dnsNames: ["a.test"], notBefore: new Date(), days: 1 });
    const cases: readonly [string, RegExp][] = [
      [pkcs8(ec("P-521")), /curve secp521r1/],
      [pkcs8(ec("secp256k1")), /curve secp256k1/],
      [pkcs8(generateKeyPairSync("ed448").privateKey), /ED448/],
      [pkcs8(generateKeyPairSync("x25519").privateKey), /X25519/],
      [pkcs8(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey), /only 1024 bits/],
      [pkcs8(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).privateKey), /RSA-PSS/],
      [pkcs8(generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 }).privateKey), /DSA/],
      [encrypted(ec("P-256")), /passphrase/],
      [traditional, /passphrase/],
      [key.publicKey.export({ type: "spki", format: "pem" }).toString(), /public key, not a private key/],
      [certificate, /certificate, not a private key/],
      ["-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", /OpenSSH/],
    ];
    for (const [pem, text] of cases) assert.throws(() => parseKey(pem, "my.key"), coded("key", text));
  });

  it("that are damaged are told from those that can't serve", () => {
    const { pem } = generateKey();
    const cases = ["", "\0\0\0\0", "hello", pem.slice(0, 100), pem.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA")];
    for (const text of cases) assert.throws(() => parseKey(text, "my.key"), coded("state", /my\.key.*damaged/));
    for (const text of cases)
      assert.throws(() => parseGivenKey(text, "my.key"), {
        code: "key",
        message: /damaged/,
        hint: /Nothing was changed/,
      });
    assert.equal(parseGivenKey(pem, "my.key").pem, pem);
  });
});

describe("loadOrCreateKey", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-key-"));
    path = join(folder, "state", "primary.pem");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("makes a key once, in a private file", async () => {
    const key = await loadOrCreateKey(path);
    assert.equal((await loadOrCreateKey(path)).fingerprint, key.fingerprint);
    assert.deepEqual(await readdir(join(folder, "state")), ["primary.pem"]);
    if (process.platform === "win32") return;
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, "state"))).mode & 0o777, 0o700);
  });

  it("gives everyone who tries at the same time the same key", async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateKey(path)));
    assert.equal(new Set(keys.map((key) => key.fingerprint)).size, 1);
    assert.deepEqual(await readdir(join(folder, "state")), ["primary.pem"]);
  });

  it("gives several processes the same key", async () => {
    const program = `const { loadOrCreateKey } = await import(${JSON.stringify(new URL("./key.ts", import.meta.url).href)});
      process.stdout.write("ready"); await new Promise((go) => process.stdin.once("data", go));
      process.stdout.write((await loadOrCreateKey(${JSON.stringify(path)})).fingerprint); process.exit();`;
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    const outputs = children.map(async (child) => {
      let text = "";
      for await (const chunk of child.stdout) {
        text += String(chunk);
        if (text === "ready") ready.push(child);
        if (ready.length === children.length) for (const one of ready.splice(0)) one.stdin.write("go");
      }
      return text;
    });
    const ready: typeof children = [];
    const prints = new Set(await Promise.all(outputs));
    assert.deepEqual([...prints], [`ready${(await loadOrCreateKey(path)).fingerprint}`]);
  });

  it("never replaces a file that it can't use", async () => {
    await mkdir(join(folder, "state"));
    for (const [content, code] of [
      ["", "state"],
      ["garbage", "state"],
      [pkcs8(ec("P-521")), "key"],
      ["x".repeat(100_000), "state"],
    ] as const) {
      await writeFile(path, content);
      await assert.rejects(loadOrCreateKey(path), coded(code, /primary\.pem/));
      assert.equal(await readFile(path, "utf8"), content);
    }
  });

  it("says what is wrong with the path", async () => {
    await mkdir(path, { recursive: true });
    await assert.rejects(loadOrCreateKey(path), coded("state", /folder, not a file/));
    await writeFile(join(folder, "file"), "");
    await assert.rejects(loadOrCreateKey(join(folder, "file", "key")), coded("state", /is a file, not a folder/));
  });

  it("does not write through a link that points to nothing", async function () {
    skipUnless(this, process.platform !== "win32", noModes);
    await mkdir(join(folder, "state"));
    await symlink(join(folder, "nowhere"), path);
    await assert.rejects(loadOrCreateKey(path), coded("state", /does not exist/));
  });

  it("reports a folder that it may not write", async function () {
    await mkdir(join(folder, "state"), { mode: 0o500 });
    await asNobody(this, () => assert.rejects(loadOrCreateKey(path), coded("state", /no permission/)));
  });

  it("warns of a key file that others can read", async function () {
    skipUnless(this, process.platform !== "win32", noModes);
    const warnings: object[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    await loadOrCreateKey(path, { logger });
    await loadOrCreateKey(path, { logger });
    assert.deepEqual(warnings, []);
    await chmod(path, 0o640);
    await loadOrCreateKey(path, { logger });
    assert.deepEqual(warnings, [{ path, mode: "640" }]);
  });
});
