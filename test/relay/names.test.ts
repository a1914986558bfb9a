import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitStatusOf } from "@porthole/common/options";
import { readPeer } from "@porthole/common/identity";
import type { PortholeError } from "@porthole/common/errors";
import {
  connectVisitor,
  get,
  needQuic,
  overEachTransport,
  siteOf,
  startHttp,
  startTestClient,
  startTestRelay,
  startTunnel,
  useScope,
  type TestClientOptions,
} from "@porthole/testing/end-to-end";

describe("Names and keys", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = (text = "hello") => startHttp(scope, (_request, response) => response.end(text));

  overEachTransport((transport) => {
    it("a secondary endpoint has a name, a service and a certificate of its own", async () => {
      const [one, two, relay] = await Promise.all([startSite("first"), startSite("second"), startTestRelay(scope)]);
      const client = await startTestClient(scope, {
        servers: [relay.apiPort],
        transport,
        local: one.local,
        args: [
          ...["--secondary-local", two.local],
          ...["--primary-cert-extension-hex", "00aa", "--secondary-cert-extension-hex", "0102030405"],
        ],
      });
      const sites = [await siteOf(client), await siteOf(client, { endpoint: 1 })] as const;
      assert.notEqual(sites[0].hostname, sites[1].hostname);
      assert.deepEqual(await Promise.all(sites.map((site) => get(site))), ["first", "second"]);
      for (const [index, extension] of ["00aa", "0102030405"].entries()) {
        const visitor = await connectVisitor(scope, sites[index] ?? sites[0]);
        const peer = readPeer(visitor.getPeerCertificate().raw);
        assert.equal(peer.extension?.toString("hex"), extension);
        assert.equal(peer.fingerprint, client.state.endpoints[index]?.fingerprint);
        assert.equal(sites[index]?.hostname, `${peer.clientId}.localhost`);
        visitor.destroy();
      }
    });
  });

  for (const [what, pair, withQuic] of [
    ["P-384", () => generateKeyPairSync("ec", { namedCurve: "P-384" }), true],
    ["Ed25519, which QUIC can't use", () => generateKeyPairSync("ed25519"), false],
    ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 2048 }), true],
  ] as const) {
    it(`a user's own key: ${what}`, async function () {
      if (withQuic) needQuic.call(this);
      const [service, relay, folder] = await Promise.all([startSite(), startTestRelay(scope), scope.folder()]);
      const path = join(folder, "key.pem");
      await writeFile(path, pair().privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
      const args = ["--primary-key", path];
      const client = await startTestClient(scope, { servers: [relay.apiPort], local: service.local, args });
      const online = await client.when("the transport to be settled", ({ endpoints: [endpoint] }) => {
        const now = endpoint?.relays[0]?.now;
        if (now?.status !== "online") return undefined;
        return now.transport === "quic" || /can't use a key/.test(now.whyNotQuic ?? "") ? now : undefined;
      });
      assert.equal(online.transport, withQuic ? "quic" : "http2");
      assert.equal(await get(await siteOf(client)), "hello");
      await client.stop();
    });
  }

  it("the name stays the same between runs, and so does the certificate that somebody has pinned", async () => {
    const service = await startSite();
    const first = await startTunnel(scope, { transport: "http2", local: service.local });
    await first.client.stop();
    const again = await startTestClient(scope, {
      servers: [first.relay.apiPort],
      transport: "http2",
      local: service.local,
      args: ["--state-dir", first.client.stateDir],
    });
    assert.deepEqual(await siteOf(again), first.site);
    assert.equal(await readFile(first.site.caPath, "utf8"), first.site.ca);
  });

  describe("--domain-suffix", () => {
    const suffixes = ["--domain-suffix", "tunnel.localhost", "--domain-suffix", "*.other.localhost"];

    it("the relay's first one is the default, any of its others can be chosen", async () => {
      const [service, relay] = await Promise.all([startSite(), startTestRelay(scope, { args: suffixes })]);
      for (const [args, suffix] of [
        [[], "tunnel.localhost"],
        [["--domain-suffix", "Other.LOCALHOST"], "other.localhost"],
      ] as const) {
        const client = await startTestClient(scope, clientOf(relay.apiPort, service.local, args));
        const site = await siteOf(client);
        assert.equal(site.hostname, `${client.state.endpoints[0]?.clientId}.${suffix}`);
        assert.equal(await get(site), "hello");
      }
    });

    it("one that the relay does not serve is refused", async () => {
      const relay = await startTestRelay(scope, { args: suffixes });
      const client = await startTestClient(scope, clientOf(relay.apiPort, "3000", ["--domain-suffix", "example.com"]));
      await assert.rejects(client.ended, (error: PortholeError) => {
        assert.equal(error.code, "name");
        assert.equal(exitStatusOf(error), 3);
        assert.match(error.message, /"example.com" is not served here; try tunnel.localhost, other.localhost/);
        return true;
      });
    });

    function clientOf(port: number, local: string, args: readonly string[]): TestClientOptions {
      return { servers: [port], transport: "http2", local, args };
    }
  });
});
