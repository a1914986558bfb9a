import assert from "node:assert/strict";
import { createHash, createPrivateKey, generateKeyPairSync, sign as signWith, webcrypto } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fingerprint, generateKey } from "@porthole/common/identity";
import type { Relay } from "@porthole/relay";
import {
  get,
  overEachTransport,
  runCli,
  siteAt,
  startHttp,
  startTestRelay,
  until,
  useScope,
  type Transport,
} from "@porthole/testing/end-to-end";
import { expose, type ExposedTunnel, type ExposeOptions, type SigningIdentity } from "@porthole/tunnel";

/** A key of WebCrypto that can't leave it. */
async function webCryptoKey(algorithm: webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams | "Ed25519") {
  const pair = await webcrypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  const { privateKey, publicKey } = pair as webcrypto.CryptoKeyPair;
  await assert.rejects(webcrypto.subtle.exportKey("pkcs8", privateKey));
  const spki = new Uint8Array(await webcrypto.subtle.exportKey("spki", publicKey));
  const how = typeof algorithm === "string" ? algorithm : { name: algorithm.name, hash: "SHA-256" };
  return {
    publicKey,
    fingerprint: fingerprint(spki),
    sign: (data: Uint8Array) => webcrypto.subtle.sign(how, privateKey, data),
  };
}

describe("a key that is elsewhere, in-process", function () {
  this.timeout(120_000);
  const scope = useScope();
  let relay: Relay;
  let relayDir: string;
  let stateDir: string;

  beforeEach(async () => {
    [relayDir, stateDir] = [await scope.folder(), await scope.folder()];
    relay = await startTestRelay(scope, { args: ["--open", "--state-dir", relayDir] });
  });

  async function exposed(identity: SigningIdentity, options: ExposeOptions & { over?: Transport } = {}) {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const { over = "http2", ...others } = options;
    const tunnel = await expose(service.port, {
      ...{ stateDir, identity, transport: over === "quic" ? "quic" : "h2", poolSize: 1, acme: { enabled: false } },
      relay: { address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint },
      ...others,
    });
    scope.defer(() => tunnel.close());
    return tunnel;
  }

  const visit = ({ url, state }: ExposedTunnel): Promise<string> =>
    get(siteAt(url, join(stateDir, "self-signed", `${state.endpoints[0]?.clientId}.pem`)));

  const kinds: readonly [string, Parameters<typeof webCryptoKey>[0]][] = [
    ["P-256", { name: "ECDSA", namedCurve: "P-256" }],
    ["P-384", { name: "ECDSA", namedCurve: "P-384" }],
    ["Ed25519", "Ed25519"],
    [
      "RSA",
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    ],
  ];
  for (const [kind, algorithm] of kinds)
    it(`gives the public name, of kind ${kind}, and never leaves WebCrypto`, async () => {
      const key = await webCryptoKey(algorithm);
      const tunnel = await exposed(key);
      assert.equal(tunnel.state.endpoints[0]?.fingerprint, key.fingerprint);
      assert.ok(tunnel.url.startsWith(`https://${key.fingerprint.slice(0, 26)}.`), tunnel.url);
      assert.equal(await visit(tunnel), "hello");
    });

  overEachTransport((over) => {
    it("is asked once, and neither for a new link nor after a restart", async () => {
      const key = await webCryptoKey({ name: "ECDSA", namedCurve: "P-256" });
      let asked = 0;
      const signer = { ...key, sign: (data: Uint8Array) => ((asked += 1), key.sign(data)) };
      const tunnel = await exposed(signer, { over });
      const { url } = tunnel;
      const ports = ["--api-port", String(relay.apiPort), "--pub-port", String(relay.publicPort)];
      await relay.close();
      await until(() => tunnel.state.endpoints[0]?.relays[0]?.now.status !== "online", "the link is lost");
      relay = await startTestRelay(scope, { args: ["--open", "--state-dir", relayDir, ...ports] });
      await until(() => tunnel.state.endpoints[0]?.relays[0]?.now.status === "online", "it is back");
      assert.equal(await visit(tunnel), "hello");
      await tunnel.close();
      const again = await exposed({ ...key, sign: () => assert.fail("the phone is locked") }, { over });
      assert.equal(again.url, url);
      assert.equal(await visit(again), "hello");
      assert.equal(asked, 1);
    });

    it("lets an invite in, for a client that has no key of its own at the relay", async () => {
      const closedDir = await scope.folder();
      // A list closes it, and so the invite is needed.
      const list = join(closedDir, "keys.txt");
      await writeFile(list, "# nobody\n");
      const closed = await startTestRelay(scope, { args: ["--state-dir", closedDir, "--authorized-keys", list] });
      const { stdout } = await runCli(scope, "relay", [
        ...["invite", "--address", `127.0.0.1:${closed.apiPort}`, "--state-dir", closedDir, "--json"],
      ]);
      const { porthole: invite } = JSON.parse(stdout) as { readonly porthole: string };
      const key = await webCryptoKey({ name: "ECDSA", namedCurve: "P-256" });
      const service = await startHttp(scope, (_request, response) => response.end("invited"));
      const transport = over === "quic" ? "quic" : "h2";
      const tunnel = await expose(service.port, {
        stateDir,
        transport,
        invite,
        identity: key,
        acme: { enabled: false },
      });
      scope.defer(() => tunnel.close());
      assert.equal(await visit(tunnel), "invited");
    });
  });

  it("may take its time, and several tunnels' worth of links wait for one signature", async () => {
    const key = await webCryptoKey({ name: "ECDSA", namedCurve: "P-256" });
    let unlock = (): void => {};
    const unlocked = new Promise<void>((resolve) => (unlock = resolve));
    let asked = 0;
    const starting = exposed(
      {
        ...key,
        async sign(data, { clientId, algorithm, validUntil }) {
          asked += 1;
          assert.equal(clientId, key.fingerprint.slice(0, 26));
          assert.equal(algorithm, "ecdsa-sha256");
          assert.match(
            Buffer.from(data).toString(),
            new RegExp(`^porthole delegation 2\\n[a-z2-7]{52}\\n${validUntil}\\n$`),
          );
          await unlocked;
          return key.sign(data);
        },
      },
      { poolSize: 4 },
    );
    await until(() => asked > 0, "it is asked");
    unlock();
    assert.equal(await visit(await starting), "hello");
    assert.equal(asked, 1);
  });

  it("can be pulled out while it signs: the signal says so, and nothing is left", async () => {
    const key = await webCryptoKey({ name: "ECDSA", namedCurve: "P-256" });
    const leaving = new AbortController();
    const aborted = new Promise<void>((resolve) => {
      void exposed(
        {
          ...key,
          sign: (_data, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener("abort", () => {
                resolve();
                reject(new Error("no longer"));
              });
              leaving.abort(new Error("the program leaves"));
            }),
        },
        { signal: leaving.signal },
      ).catch(() => {});
    });
    await aborted;
    await until(() => relay.counts().links === 0, "no link is left");
  });

  const other = generateKey();
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const failures: readonly [string, SigningIdentity, string, RegExp][] = [
    [
      "refuses",
      signing(() => Promise.reject(new Error("the user said no"))),
      "signer",
      /did not sign: the user said no/,
    ],
    [
      "throws at once",
      signing(() => {
        throw new Error("no token");
      }),
      "signer",
      /did not sign: no token/,
    ],
    ["returns a text", signing(() => "abc" as never), "signer", /returned no bytes/],
    ["returns nothing", signing(() => new Uint8Array()), "key", /is not by the key/],
    [
      "signs by another key",
      signing((data) => signWith("sha256", data, createPrivateKey(other.pem))),
      "key",
      /is not by the key/,
    ],
    [
      "signs a hash of the hash",
      signing((data) => signWith("sha256", createHash("sha256").update(data).digest(), p256.privateKey)),
      "key",
      /is not by the key/,
    ],
    ["returns megabytes", signing(() => new Uint8Array(3_000_000)), "key", /is not by the key|no signature/],
    [
      "pads RSA as PSS",
      {
        publicKey: rsa.publicKey,
        sign: (data) => signWith("sha256", data, { key: rsa.privateKey, padding: 6, saltLength: 32 }),
      },
      "key",
      /is not by the key/,
    ],
    ["is of a curve that TLS does not take", curve("secp256k1"), "key", /is on the curve secp256k1/],
    ["is of another curve", curve("P-521"), "key", /is on the curve secp521r1/],
    [
      "is RSA of 1024 bits",
      { ...signing(() => new Uint8Array()), publicKey: generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey },
      "key",
      /only 1024 bits/,
    ],
    [
      "is X25519",
      { ...signing(() => new Uint8Array()), publicKey: generateKeyPairSync("x25519").publicKey },
      "key",
      /X25519/,
    ],
    ["is a private key", { ...signing(() => new Uint8Array()), publicKey: other.pem }, "key", /holds a private key/],
    ["is no key", { ...signing(() => new Uint8Array()), publicKey: "hello" }, "key", /can't be read as a public key/],
    ["is empty", { ...signing(() => new Uint8Array()), publicKey: "" }, "key", /can't be read as a public key/],
    ["is a number", { ...signing(() => new Uint8Array()), publicKey: 5 as never }, "key", /is not a public key/],
    [
      "is a secret key",
      { ...signing(() => new Uint8Array()), publicKey: webcrypto as never },
      "key",
      /is not a public key/,
    ],
    ["has no function", { publicKey: p256.publicKey, sign: 5 as never }, "usage", /sign is not a function/],
  ];
  for (const [what, identity, code, message] of failures)
    it(`${what}: expose says so`, async () => {
      await assert.rejects(exposed(identity), { name: "PortholeError", code, message });
      await until(() => relay.counts().links === 0, "no link is left");
      const secrets = (await readdir(stateDir, { recursive: true })).filter((file) => file.endsWith(".json"));
      assert.ok(!secrets.some((file) => file.includes("external-keys")), "nothing of it is kept");
    });

  function signing(sign: SigningIdentity["sign"]): SigningIdentity {
    return { publicKey: p256.publicKey, sign };
  }

  function curve(namedCurve: string): SigningIdentity {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
    return { publicKey, sign: (data) => signWith("sha256", data, privateKey) };
  }
});
