import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { exitStatusOf } from "@porthole/common/options";
import { generateKey } from "@porthole/common/identity";
import type { PortholeError } from "@porthole/common/errors";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import {
  connectVisitor,
  freePort,
  get,
  listeningLog,
  needQuic,
  overEachTransport,
  siteOf,
  startHttp,
  startTestClient,
  startTestRelay,
  startTunnel,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("Relays and their ports", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));

  overEachTransport((transport) => {
    it("two relays serve the same name in parallel, and one continues when the other stops", async () => {
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
      const { log, logged } = listeningLog();
      const [service, relay] = await Promise.all([
        startSite(),
        startTestRelay(scope, { args: ["--authorized-keys", list], log }),
      ]);
      const start = () =>
        startTestClient(scope, {
          servers: [relay.apiPort],
          transport,
          local: service.local,
          args: ["--primary-key", keyPath],
        });
      await refused(await start());
      const reread = logged(/^Reread the authorized keys/);
      await appendFile(list, `${key.clientId} # somebody's laptop\n`);
      await reread;
      const admitted = await start();
      assert.equal(await get(await siteOf(admitted)), "hello");
      await writeFile(list, "# nobody any more\n");
      await refused(admitted);

      async function refused(client: Awaited<ReturnType<typeof start>>): Promise<void> {
        await assert.rejects(client.ended, (error: PortholeError) => {
          assert.equal(error.code, "unauthorized");
          assert.equal(exitStatusOf(error), 3);
          assert.match(error.message, new RegExp(`this relay does not know the client id ${key.clientId}`));
          return true;
        });
        await until(() => relay.counts().links === 0, "the relay had let go of the links");
      }
    });

    it("one port for clients and visitors: the server's name tells them apart", async () => {
      const port = await freePort();
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
      skipUnless(this, await hasIpv6(), platformReason("this machine has no IPv6"));
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
    assert.equal(relay.counts().clients, 1);
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
});

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
