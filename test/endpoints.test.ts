import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { generateKey, readPeer } from "@porthole/common/identity";
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
  until,
  useScope,
  type TestClientOptions,
} from "./fixture/index.ts";

describe("Names, relays and who may use them", function () {
  this.timeout(60_000);
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

    it("two relays serve the same name in parallel, and one goes on when the other stops", async () => {
      const [service, one, two] = await Promise.all([startSite(), startTestRelay(scope), startTestRelay(scope)]);
      const client = await startTestClient(scope, {
        servers: [one.apiPort, two.apiPort],
        transport,
        local: service.local,
      });
      const sites = [await siteOf(client), await siteOf(client, { relay: 1 })] as const;
      assert.deepEqual(
        sites.map(({ port }) => port),
        [one.publicPort, two.publicPort],
      );
      assert.equal(sites[0].hostname, sites[1].hostname);
      for (const site of sites) assert.equal(await get(site), "hello");
      await one.close();
      await client.when("the loss of one", ({ endpoints: [endpoint] }) =>
        endpoint?.relays[0]?.now.status === "online" ? undefined : true,
      );
      assert.equal(await get(sites[1]), "hello");
    });

    it("a client whose key is taken off the list is disconnected, and told why", async () => {
      const folder = await scope.folder();
      const key = generateKey();
      const [list, keyPath] = [join(folder, "keys.txt"), join(folder, "key.pem")];
      await writeFile(keyPath, key.pem, { mode: 0o600 });
      await writeFile(list, "# nobody yet\n");
      const [service, relay] = await Promise.all([
        startSite(),
        startTestRelay(scope, { args: ["--authorized-keys", list] }),
      ]);
      const start = () =>
        startTestClient(scope, {
          servers: [relay.apiPort],
          transport,
          local: service.local,
          args: ["--primary-key", keyPath],
        });
      await refused(await start());
      await appendFile(list, `${key.clientId} # somebody's laptop\n`);
      const admitted = await start();
      assert.equal(await get(await siteOf(admitted)), "hello");
      await writeFile(list, "# nobody any more\n");
      await refused(admitted);

      async function refused(client: Awaited<ReturnType<typeof start>>): Promise<void> {
        await assert.rejects(client.ended, (error: PortholeError) => {
          assert.equal(error.code, "unauthorized");
          assert.equal(error.exitCode, 3);
          assert.match(error.message, new RegExp(`this relay does not know the client id ${key.clientId}`));
          return true;
        });
        await until(() => relay.counts().links === 0, "the relay had let go of the links");
      }
    });

    it("one port for agents and visitors: the server's name tells them apart", async () => {
      const port = await sharedPort();
      const service = await startSite();
      const { site, relay } = await startTunnel(scope, {
        transport,
        local: service.local,
        relay: { args: ["--api-port", String(port), "--pub-port", String(port)] },
        client: { servers: [`localhost:${port}`] },
      });
      assert.equal(relay.apiPort, relay.publicPort);
      assert.equal(await get(site), "hello");
      const unnamed = await startTestClient(scope, { servers: [port], transport, local: service.local });
      assert.equal(await get(await siteOf(unnamed)), "hello");
    });

    it("over IPv6", async function () {
      if (!(await hasIpv6())) this.skip();
      const [service, relay] = await Promise.all([
        startSite(),
        startTestRelay(scope, { args: ["--bind-addr", "::1"] }),
      ]);
      const client = await startTestClient(scope, {
        servers: [`[::1]:${relay.apiPort}`],
        transport,
        local: service.local,
      });
      const site = await siteOf(client);
      const visitor = await connectVisitor(scope, site, { address: "::1" });
      visitor.end("GET / HTTP/1.0\r\n\r\n");
      const [data] = (await once(visitor, "data")) as [Buffer];
      assert.match(data.toString(), /^HTTP\/1\.1 200 OK/);
      const [visit] = await client.visited(1);
      assert.equal(visit?.address, "::1");
    });
  });

  it("--pool-size is the number of HTTP/2 connections", async () => {
    const service = await startSite();
    const { relay, client } = await startTunnel(scope, {
      transport: "http2",
      local: service.local,
      client: { args: ["--pool-size", "3"] },
    });
    await client.when("three links", ({ endpoints: [endpoint] }) => {
      const now = endpoint?.relays[0]?.now;
      return now?.status === "online" && now.links === 3 ? true : undefined;
    });
    assert.equal(relay.counts().links, 3);
    assert.equal(relay.counts().agents, 1);
  });

  it("--transport quic keeps no HTTP/2 connection", async function () {
    needQuic.call(this);
    const service = await startSite();
    const { relay, site, client } = await startTunnel(scope, {
      transport: "quic",
      local: service.local,
      client: { args: ["--transport", "quic"] },
    });
    assert.equal(await get(site), "hello");
    assert.equal((await client.visited(1))[0]?.transport, "quic");
    await until(
      () => relay.counts().sockets === 0,
      () => `no TCP was left: ${JSON.stringify(relay.counts())}`,
    );
    assert.equal(relay.counts().links, 1);
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
        assert.equal(error.exitCode, 3);
        assert.match(error.message, /"example.com" is not served here; try tunnel.localhost, other.localhost/);
        return true;
      });
    });

    function clientOf(port: number, local: string, args: readonly string[]): TestClientOptions {
      return { servers: [port], transport: "http2", local, args };
    }
  });

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
});

/** A port that is free for TCP and UDP, as far as one can know. */
async function sharedPort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function hasIpv6(): Promise<boolean> {
  const server = net.createServer();
  try {
    server.listen(0, "::1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
