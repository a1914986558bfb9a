import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { generateKey, parseKey, type IdentityKey } from "@porthole/common/identity";
import { silentLogger } from "@porthole/common/log";
import { Front } from "@porthole/testing/front";
import { startPebble, whyNoPebble, type Pebble, type PebbleOptions } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";
import { sized } from "@porthole/testing/size";
import { until } from "@porthole/testing/until";
import { Secret, systemClock } from "@porthole/common/util";
import { fileAccounts } from "../../common/src/acme/order/account-store.ts";
import type { CertificateState, ServedCertificate } from "@porthole/common/acme";
import { acmeIssuer, type AcmeIssuerOptions } from "../../common/src/acme/order/issuer.ts";
import { CertificateKeeper, type KeeperOptions } from "../../common/src/acme/renewal/certificate-keeper.ts";
import { fileStore } from "../../common/src/acme/renewal/store.ts";

const clock = systemClock;
const log = silentLogger;
const manyNames = sized(5, 50);

describe("ACME against Pebble", function () {
  this.timeout(120_000);
  let folder: string;
  let front: Front;
  let pebble: Pebble | undefined;
  let stop: AbortController;

  before(function () {
    const reason = whyNoPebble();
    skipUnless(this, reason === undefined, reason ?? "");
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-acme-"));
    front = new Front();
    await front.listen();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await front.close();
    await pebble?.close();
    pebble = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function start(options: Partial<PebbleOptions> = {}): Promise<Pebble> {
    pebble = await startPebble({ tlsPort: front.port, ...options });
    return pebble;
  }

  function issuerOf({ directoryUrl, caPem }: Pebble, more: Partial<AcmeIssuerOptions> = {}) {
    const accounts = fileAccounts(join(folder, "accounts.json"), clock, log);
    return acmeIssuer({ directoryUrl, trust: caPem, accounts, answer: front.challenges, clock, log, ...more });
  }

  function issue(from: Pebble, name: string, key: IdentityKey, more: Partial<AcmeIssuerOptions> = {}) {
    return issuerOf(from, more).issue({ name, key, stagingFirst: false }, stop.signal);
  }

  async function accountUrl(from: Pebble): Promise<string | undefined> {
    return (await fileAccounts(join(folder, "accounts.json"), clock, log).read(from.directoryUrl))?.url;
  }

  /** Runs until the condition holds for the state; the keeper continues. */
  function keep(
    from: Pebble,
    name: string,
    isEnough: (state: CertificateState) => boolean,
    more: Partial<KeeperOptions> = {},
  ) {
    return new Promise<{ keeper: CertificateKeeper; done: Promise<void> }>((resolve) => {
      const keeper = new CertificateKeeper({
        name,
        issuer: issuerOf(from),
        store: fileStore(join(folder, `${name}.pem`), clock),
        clock,
        log,
        onCertificate: (certificate) => front.serve(certificate),
        onState: (state) => {
          if (isEnough(state)) resolve({ keeper, done });
        },
        ...more,
      });
      const done = keeper.run(stop.signal);
    });
  }

  it("a visitor trusts the certificate, over TLS 1.2 and 1.3", async () => {
    const ca = await start();
    const name = "abc.tunnel.test";
    const key = generateKey();
    const chain = await issue(ca, name, key);
    assert.equal(chain.length, 2);
    assert.deepEqual(chain.leaf.publicKey.export({ format: "der", type: "spki" }), key.spki);
    front.serve({ name, chainPem: chain.pem, key, notBefore: 0, notAfter: 0, directoryUrl: undefined });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const visitor = await visit(front.port, name, await ca.rootPem(), version);
      assert.deepEqual(visitor, { authorized: true, protocol: version });
    }
    assert.ok(front.validators.length >= 3, "Pebble comes from several places");
    assert.equal(front.challenges.find(name), undefined, "the challenge is over");
  });

  for (const kind of ["P-384", "RSA"] as const) {
    it(`the user's own ${kind} key gets one too`, async () => {
      const { privateKey } =
        kind === "RSA"
          ? generateKeyPairSync("rsa", { modulusLength: 2048 })
          : generateKeyPairSync("ec", { namedCurve: kind });
      const key = parseKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString(), kind);
      const chain = await issue(await start(), "own.tunnel.test", key);
      assert.ok(chain.leaf.checkPrivateKey(key.privateKey));
    });
  }

  it("continues when the server rejects a tenth of all nonces, sleeps, and reuses authorizations", async () => {
    const ca = await start({
      env: { PEBBLE_WFE_NONCEREJECT: "10", PEBBLE_VA_NOSLEEP: "", PEBBLE_VA_SLEEPTIME: "1", PEBBLE_AUTHZREUSE: "100" },
    });
    for (let round = 0; round < 3; round++) await issue(ca, "abc.tunnel.test", generateKey());
    assert.ok(front.validators.length <= 3);
  });

  it("an account is made once and used again after a restart, also by many at once", async () => {
    const ca = await start();
    await Promise.all(["a", "b", "c"].map((label) => issue(ca, `${label}.tunnel.test`, generateKey())));
    const first = await accountUrl(ca);
    await issue(ca, "d.tunnel.test", generateKey());
    assert.equal(await accountUrl(ca), first);
    assert.equal(ca.log().match(/There are now \d+ accounts in memory/g)?.length, 1);
    if (process.platform !== "win32") assert.equal((await stat(join(folder, "accounts.json"))).mode & 0o777, 0o600);
  });

  it("an account that the authority has lost is made again, once", async () => {
    const first = await start();
    await issue(first, "abc.tunnel.test", generateKey());
    const lost = await accountUrl(first);
    const port = new URL(first.directoryUrl).port;
    await first.close();
    // Another Pebble knows nothing of it. It has another port, so the file is made to speak of that.
    const second = await start();
    const text = (await readFile(join(folder, "accounts.json"))).toString();
    const accounts = fileAccounts(join(folder, "accounts.json"), clock, log);
    const moved = await accounts.read(first.directoryUrl);
    assert.ok(moved && text.includes(port));
    await accounts.write(second.directoryUrl, {
      ...moved,
      url: (lost ?? "").replace(port, new URL(second.directoryUrl).port),
    });
    await issue(second, "abc.tunnel.test", generateKey());
    assert.notEqual(await accountUrl(second), lost);
  });

  it("external account binding", async () => {
    const hmacKey = Buffer.from("a secret of thirty-two bytes!!!!").toString("base64url");
    const ca = await start({ externalAccounts: { "kid-1": hmacKey } });
    const name = "abc.tunnel.test";
    await assert.rejects(issue(ca, name, generateKey()), { code: "usage", hint: /\{acme-eab-kid\}/ });
    const wrong = { kid: "kid-1", hmacKey: new Secret(Buffer.from("wrong").toString("base64url")) };
    await assert.rejects(issue(ca, name, generateKey(), { externalAccount: wrong }), (thrown: Error) => {
      assert.doesNotMatch(`${thrown.message} ${String(thrown.cause)}`, /d3Jvbmc|wrong/);
      return true;
    });
    await issue(ca, name, generateKey(), {
      externalAccount: { kid: "kid-1", hmacKey: new Secret(hmacKey) },
      email: "a@tunnel.test",
    });
  });

  it("says what is wrong with the name's DNS, the port, or who answers there", async () => {
    const elsewhere = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    elsewhere.listen(front.port, "127.0.0.3");
    await once(elsewhere, "listening");
    const ca = await start({
      addressesOf: (name) =>
        ({ "gone.tunnel.test": undefined, "down.tunnel.test": ["127.0.0.2"], "else.tunnel.test": ["127.0.0.3"] })[name],
    });
    try {
      await assert.rejects(issue(ca, "gone.tunnel.test", generateKey()), { code: "ca", hint: /gone\.tunnel\.test/ });
      await assert.rejects(issue(ca, "down.tunnel.test", generateKey()), {
        code: "ca",
        hint: /port 443 of down\.tunnel\.test/,
      });
      await assert.rejects(issue(ca, "else.tunnel.test", generateKey()), { code: "ca", hint: /else\.tunnel\.test/ });
      await assert.rejects(issue(ca, "*.tunnel.test", generateKey()), { code: "ca", message: /only dns-01/ });
    } finally {
      elsewhere.close();
    }
  });

  it("ends in the middle when told to, and leaves no connection and no challenge behind", async () => {
    const ca = await start({ env: { PEBBLE_VA_NOSLEEP: "", PEBBLE_VA_SLEEPTIME: "5" } });
    const order = issue(ca, "abc.tunnel.test", generateKey());
    const publish = front.challenges.publish.bind(front.challenges);
    await new Promise<void>((resolve) => {
      front.challenges.publish = (...published) => {
        publish(...published);
        resolve();
      };
    });
    stop.abort(new Error("that's all"));
    await assert.rejects(order, /that's all/);
    assert.equal(front.challenges.find("abc.tunnel.test"), undefined);
  });

  it("keeps a certificate: orders, renews a short one by itself, and orders nothing after a restart", async () => {
    const ca = await start({ lifetimeSeconds: 6 });
    const name = "abc.tunnel.test";
    const chains = new Set<string>();
    await keep(ca, name, () => chains.size >= 2, {
      onCertificate: (certificate) => {
        chains.add(certificate.chainPem);
        front.serve(certificate);
      },
    });
    const rootPem = await ca.rootPem();
    // On a busy machine this one may have ended before it is seen; the next one comes.
    const visitNow = () => visit(front.port, name, rootPem, "TLSv1.3").catch(({ code }: NodeJS.ErrnoException) => code);
    let seen = await visitNow();
    while (seen === "CERT_HAS_EXPIRED") seen = await visitNow();
    assert.deepEqual(seen, { authorized: true, protocol: "TLSv1.3" });
    stop.abort();
  });

  it("the relay's key is kept with its chain, and other programs can read the file", async () => {
    const ca = await start();
    const name = "relay.tunnel.test";
    const { done } = await keep(ca, name, ({ status }) => status === "valid");
    stop.abort();
    await done;
    stop = new AbortController();
    const text = (await readFile(join(folder, `${name}.pem`))).toString();
    tls.createSecureContext({ cert: text, key: text });
    assert.ok(new X509Certificate(text).checkHost(name));
    const before = front.validators.length;
    const served: ServedCertificate[] = [];
    await keep(ca, name, ({ status }) => status === "valid", {
      onCertificate: (certificate) => void served.push(certificate),
    });
    assert.equal(served.length, 1);
    assert.equal(front.validators.length, before, "nothing is ordered while there is a valid one");
  });

  it("two keepers of one file order once", async () => {
    const ca = await start();
    const isValid = ({ status }: CertificateState): boolean => status === "valid";
    await Promise.all([keep(ca, "abc.tunnel.test", isValid), keep(ca, "abc.tunnel.test", isValid)]);
    assert.equal(ca.log().match(/Issued certificate serial/g)?.length, 1);
  });

  it(`${manyNames} names at once`, async () => {
    const ca = await start();
    const names = Array.from({ length: manyNames }, (_, index) => `client${index}.tunnel.test`);
    const chains = await Promise.all(names.map((name) => issue(ca, name, generateKey())));
    for (const [index, chain] of chains.entries()) assert.ok(chain.leaf.checkHost(names[index] ?? ""));
    await until(() => front.openSockets === 0, "every validator had left");
  });
});

function visit(port: number, servername: string, ca: string, version: tls.SecureVersion) {
  return new Promise<{ authorized: boolean; protocol: string | null }>((resolve, reject) => {
    const socket = tls.connect(
      { host: "127.0.0.1", port, servername, ca, minVersion: version, maxVersion: version },
      () => {
        resolve({ authorized: socket.authorized, protocol: socket.getProtocol() });
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}
