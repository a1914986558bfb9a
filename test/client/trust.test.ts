import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitStatusOf } from "@porthole/common/options";
import type { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey } from "@porthole/common/identity";
import type { Relay } from "@porthole/relay";
import { TestAuthority } from "@porthole/testing/test-authority";
import {
  freePort,
  get,
  hastened,
  needQuic,
  overEachTransport,
  siteOf,
  startCli,
  startHttp,
  startTestClient,
  startTestRelay,
  useScope,
  type TestClient,
} from "@porthole/testing/end-to-end";

describe("Which relay a client trusts", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));

  overEachTransport((transport) => {
    it("the one of the first time, and no other in its place", async () => {
      const service = await startSite();
      const [stateDir, relayDir] = await Promise.all([scope.folder(), scope.folder()]);
      const first = await startTestRelay(scope, { args: [...(await ports()), "--state-dir", relayDir] });
      const begin = () =>
        startTestClient(scope, {
          servers: [first.apiPort],
          transport,
          local: service.local,
          args: ["--state-dir", stateDir],
          clock: hastened(scope.clock, 10),
        });
      const client = await begin();
      await client.online();
      await first.close();
      const impostor = await replaceWith(first, []);
      // A client that was admitted once keeps trying: the right relay may come back.
      await client.when("the difference to be noticed", (state) => {
        const now = state.endpoints[0]?.relays[0]?.now;
        return now?.status === "waiting" && now.error.code === "untrusted" ? now.error : undefined;
      });
      await assert.rejects((await begin()).ended, untrusted("it was", first, impostor, /give the fingerprint/));
      await impostor.close();
      await replaceWith(first, ["--state-dir", relayDir]);
      assert.equal(await get(await siteOf(client)), "hello");
      await client.stop();
    });

    it("the one with the given fingerprint, however it is written", async () => {
      const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
      const client = await clientWith(relay, "--server-fingerprint", relay.fingerprint.toUpperCase());
      assert.equal(await get(await siteOf(client)), "hello");

      async function clientWith(relay: Relay, ...args: string[]): Promise<TestClient> {
        return startTestClient(scope, { servers: [relay.apiPort], transport, local: service.local, args });
      }
    });

    it("with --insecure any, and remembers none", async () => {
      const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
      const client = await startTestClient(scope, {
        servers: [relay.apiPort],
        transport,
        local: service.local,
        args: ["--insecure"],
      });
      assert.equal(await get(await siteOf(client)), "hello");
      await assert.rejects(readFile(join(client.stateDir, "known-relays.json")), { code: "ENOENT" });
    });
  });

  it("over QUIC alone: also with a new certificate of the same key", async function () {
    needQuic.call(this);
    const [service, folder] = await Promise.all([startSite(), scope.folder()]);
    const key = generateKey();
    const [certPath, keyPath] = [join(folder, "relay.pem"), join(folder, "relay.key")];
    await writeFile(keyPath, key.pem);
    const renew = async (days: number): Promise<void> =>
      writeFile(certPath, createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days }).pem);
    const tls = ["--tls-cert", certPath, "--tls-key", keyPath];
    await renew(1);
    const first = await startTestRelay(scope, { args: [...(await ports()), ...tls] });
    const client = await startTestClient(scope, {
      servers: [first.apiPort],
      local: service.local,
      args: ["--transport", "quic", "--server-fingerprint", key.fingerprint],
      clock: hastened(scope.clock, 10),
    });
    await client.online();
    await first.close();
    await client.when("the loss", (state) => state.endpoints[0]?.relays[0]?.now.status === "waiting" || undefined);
    await renew(2);
    await replaceWith(first, tls);
    assert.equal(await get(await siteOf(client)), "hello");
    await client.stop();
  });

  it("over QUIC alone: one with a private CA's certificate, when Node was told of the CA", async function () {
    needQuic.call(this);
    const [service, folder] = await Promise.all([startSite(), scope.folder()]);
    const [certPath, keyPath, rootPath] = ["relay.pem", "relay.key", "root.pem"].map((name) => join(folder, name));
    assert.ok(certPath && keyPath && rootPath);
    const now = Date.now();
    const [key, authority] = [generateKey(), new TestAuthority({ now })];
    const spki = createPublicKey(key.pem).export({ type: "spki", format: "der" });
    const dates = { notBefore: now - 3_600_000, notAfter: now + 3_600_000 };
    await Promise.all([
      writeFile(keyPath, key.pem),
      writeFile(certPath, authority.issue({ dnsName: "localhost", spki, ...dates })),
      writeFile(rootPath, authority.pem),
    ]);
    const relay = await startTestRelay(scope, { args: ["--tls-cert", certPath, "--tls-key", keyPath] });
    const flags = ["--transport", "quic", "--state-dir", join(folder, "client"), "--json"];
    const client = startCli(scope, "client", [service.local, "--server", `localhost:${relay.apiPort}`, ...flags], {
      env: { NODE_EXTRA_CA_CERTS: rootPath },
    });
    await client.line(/"status":"online","transport":"quic"/);
    assert.deepEqual(await client.kill("SIGTERM"), { code: 0, signal: null });
  });

  it("not one with another fingerprint than the given one", async () => {
    const relay = await startTestRelay(scope);
    const { fingerprint } = generateKey();
    const client = await startTestClient(scope, {
      servers: [relay.apiPort],
      args: ["--server-fingerprint", fingerprint],
    });
    await assert.rejects(
      client.ended,
      untrusted("was pinned", { apiPort: relay.apiPort, fingerprint }, relay, /present fingerprint/),
    );
  });

  it("none when the list of known ones is damaged, and the list stays as it is", async () => {
    for (const damage of ["{", '{"127.0.0.1:4433":{"fingerprint":"short"}}', "null"]) {
      const stateDir = await scope.folder();
      const path = join(stateDir, "known-relays.json");
      await writeFile(path, damage);
      const started = startTestClient(scope, { servers: [4433], args: ["--state-dir", stateDir] });
      if (damage === "null") {
        await (await started).stop();
        continue;
      }
      await assert.rejects(started, (error: PortholeError) => {
        assert.equal(error.code, "state");
        assert.ok(error.message.includes(path), error.message);
        assert.ok(error.hint);
        return true;
      });
      assert.equal(await readFile(path, "utf8"), damage);
    }
  });

  /** For a relay whose place another one takes: in the meantime nobody else may. */
  async function ports(): Promise<string[]> {
    const [api, pub] = await Promise.all([freePort(), freePort()]);
    return ["--api-port", String(api), "--pub-port", String(pub)];
  }

  function replaceWith({ apiPort, publicPort }: Relay, args: readonly string[]): Promise<Relay> {
    return startTestRelay(scope, {
      args: ["--api-port", String(apiPort), "--pub-port", String(publicPort), ...args],
    });
  }
});

function untrusted(
  which: "it was" | "was pinned",
  expected: Pick<Relay, "apiPort" | "fingerprint">,
  actual: Pick<Relay, "fingerprint">,
  hint: RegExp,
): (error: PortholeError) => boolean {
  return (error) => {
    assert.equal(error.code, "untrusted");
    assert.equal(exitStatusOf(error), 1);
    assert.equal(
      error.message,
      `127.0.0.1:${expected.apiPort} is not the relay that ${which}: its key is ${actual.fingerprint}, expected ${expected.fingerprint}`,
    );
    assert.match(error.hint ?? "", hint);
    return true;
  };
}
