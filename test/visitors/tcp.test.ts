import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import {
  connectVisitor,
  freePort,
  get,
  hashOf,
  needProgram,
  overEachTransport,
  readAll,
  run,
  soon,
  source,
  start,
  startHttp,
  startTcp,
  startTunnel,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

describe("Any protocol over TCP", function () {
  this.timeout(180_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("redis-cli --tls talks to a plain Redis", async function () {
      needProgram(this, "redis-server");
      needProgram(this, "redis-cli");
      const { site } = await startTunnel(scope, { transport, local: `tcp://127.0.0.1:${await startRedis()}` });
      const redis = (...args: string[]) => run("redis-cli", [...redisFlags(site), ...args]);
      const big = "x".repeat(100_000);
      assert.deepEqual(await outputOf(redis("SET", "key", big)), "OK\n");
      assert.equal(await outputOf(redis("GET", "key")), `${big}\n`);
      // Who waits for the server to speak gets what another visitor says.
      const subscriber = start(scope, "redis-cli", [...redisFlags(site), "--csv", "SUBSCRIBE", "news"]);
      await subscriber.line(/"subscribe","news",1/);
      await redis("PUBLISH", "news", "hello");
      await subscriber.line(/"message","news","hello"/);
    });

    it("a service that speaks first is heard before the visitor says anything", async () => {
      const service = await startTcp(scope, (socket) => socket.end("220 welcome\r\n"));
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const visitor = await connectVisitor(scope, site);
      assert.equal((await soon(readAll(visitor), "the greeting")).toString(), "220 welcome\r\n");
    });

    it("a visitor's end reaches the service, and a large answer comes back after it", async () => {
      const bytes = 4 * 1024 * 1024;
      const answer = source(bytes);
      const service = await startTcp(scope, (socket) => {
        void readAll(socket).then((question) => {
          assert.equal(question.toString(), "question");
          answer.stream.pipe(socket);
        });
      });
      const { site, client } = await startTunnel(scope, { transport, local: service.local });
      const visitor = await connectVisitor(scope, site);
      visitor.end("question");
      assert.deepEqual(await soon(hashOf(visitor), "the answer"), { bytes, hash: answer.hash() });
      const [visit] = await client.visited(1);
      assert.equal(visit?.error, undefined);
      assert.equal(visit?.bytesIn, "question".length);
      assert.equal(visit.bytesOut, bytes);
    });

    it("a service's end reaches the visitor, and what the visitor says after it arrives", async () => {
      const service = await tcpPeer();
      const { site, client } = await startTunnel(scope, { transport, local: service.local });
      const visitor = await connectVisitor(scope, site);
      visitor.write("hi");
      const socket = await service.accepted;
      socket.end("that is all");
      assert.equal((await soon(readAll(visitor), "the service's end")).toString(), "that is all");
      visitor.end(" and goodbye");
      assert.equal((await soon(readAll(socket), "the visitor's end")).toString(), "hi and goodbye");
      const [visit] = await client.visited(1);
      assert.equal(visit?.error, undefined);
    });

    it("a service that breaks off is not taken for one that has ended", async () => {
      const service = await tcpPeer();
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const visitor = await connectVisitor(scope, site);
      visitor.write("hi");
      const socket = await service.accepted;
      socket.write("half an ans");
      await once(visitor, "readable");
      const end = assert.rejects(soon(readAll(visitor), "the end"));
      socket.resetAndDestroy();
      await end;
    });

    it("a visitor who breaks off is not taken for one that has ended", async () => {
      const service = await tcpPeer();
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const raw = net.connect({ host: "127.0.0.1", port: site.port });
      const visitor = tls.connect({ socket: raw, servername: site.hostname, ca: site.ca });
      visitor.on("error", () => {});
      visitor.write("half an upl");
      const socket = await service.accepted;
      await once(socket, "readable");
      const end = assert.rejects(soon(readAll(socket), "the end"));
      raw.resetAndDestroy();
      await end;
    });

    it("without the service the visitor gets an orderly end, the log says why, and the next one is served", async () => {
      const port = await freePort();
      const { site, client } = await startTunnel(scope, { transport, local: `tcp://127.0.0.1:${port}` });
      for (let i = 0; i < 3; i++) {
        const visitor = await connectVisitor(scope, site);
        visitor.write("GET / HTTP/1.1\r\n\r\n");
        // An end without close_notify, or a reset, would reject.
        assert.equal((await soon(readAll(visitor), "the end")).length, 0);
        visitor.end();
      }
      const line = await client.logged(/does not answer/);
      assert.match(line, new RegExp(`tcp://127\\.0\\.0\\.1:${port} does not answer: nothing listens there`));
      assert.match(line, /Start it, or choose another one with \{local\}/);
      const [visit] = await client.visited(3);
      assert.equal(visit?.error?.code, "service-down");
      await startHttp(scope, (_request, response) => response.end("up again"), { port });
      assert.equal(await get(site), "up again");
    });
  });

  async function startRedis(): Promise<number> {
    const port = await freePort();
    const folder = await scope.folder();
    const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
    const server = start(scope, "redis-server", ["--port", String(port), ...settings]);
    await server.line(/Ready to accept connections/);
    return port;
  }

  function redisFlags(site: Site): string[] {
    return ["-h", "127.0.0.1", "-p", String(site.port), "--tls", "--sni", site.hostname, "--cacert", join(site.caPath)];
  }

  /** A service whose one connection is the test's to use. */
  async function tcpPeer() {
    let accept: (socket: Socket) => void = () => {};
    const accepted = new Promise<Socket>((resolve) => {
      accept = resolve;
    });
    return { ...(await startTcp(scope, (socket) => accept(socket))), accepted };
  }
});

async function outputOf(output: ReturnType<typeof run>): Promise<string> {
  const { stdout, stderr, code } = await output;
  assert.equal(code, 0, stderr);
  return stdout;
}
