import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { generateKey } from "@porthole/common/identity";
import { createLink } from "@porthole/common/link";
import { PortholeError } from "@porthole/common/errors";
import type { Relay } from "@porthole/relay";
import {
  connectVisitor,
  dialLink,
  dialRelay,
  get,
  hello,
  overEachTransport,
  settled,
  soon,
  startHttp,
  startTestRelay,
  startTunnel,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("Limits of a relay", function () {
  this.timeout(90_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));

  /** Connections that say nothing. */
  function connectSilently(port: number, count: number): Socket[] {
    return Array.from({ length: count }, () => {
      const socket = net.connect({ host: "127.0.0.1", port });
      socket.on("error", () => {});
      scope.defer(() => socket.destroy());
      return socket;
    });
  }

  async function limited(relay: Relay): Promise<Record<string, number>> {
    const metric = await relay.metrics.registry.getSingleMetric("porthole_limited_total")?.get();
    const reached = (metric?.values ?? []).filter(({ value }) => value > 0);
    return Object.fromEntries(reached.map(({ labels, value }) => [String(labels["limit"]), value]));
  }

  overEachTransport((transport) => {
    it("one name's visitors over --streams-per-client are refused, and the next ones served", async () => {
      const service = await startHttp(scope, (_request, response) => response.end("hello"));
      const { relay, site } = await startTunnel(scope, {
        transport,
        local: service.local,
        relay: { args: ["--streams-per-client", "2"] },
      });
      const visitors = [await connectVisitor(scope, site), await connectVisitor(scope, site)];
      await assert.rejects(get(site), /alert internal error|ECONNRESET/);
      assert.deepEqual(await limited(relay), { "streams-per-client": 1 });
      for (const visitor of visitors) visitor.destroy();
      await until(() => relay.counts().streams === 0, "the visitors had left");
      assert.equal(await get(site), "hello");
    });

    it("a client with more links than --links-per-client keeps what it has", async () => {
      const relay = await startTestRelay(scope, { args: ["--links-per-client", "1"] });
      const key = generateKey();
      const first = await dialLink(scope, relay, transport, key);
      first.control.send(hello);
      const welcome = await first.control.next();
      assert.equal(welcome?.type, "welcome");
      const ticket = Buffer.from(welcome.ticket?.quic ?? "", "hex");
      const second = await dialLink(scope, relay, transport, key, ticket);
      second.control.send(hello);
      const answer = await soon(second.control.next(), "an answer");
      assert.ok(answer?.type === "reject");
      assert.deepEqual([answer.code, answer.retryAfterMs], ["busy", 10_000]);
      await soon(second.closed, "the end of the second link");
      assert.equal(relay.counts().links, 1);
    });
  });

  it("visitors of one address over --visitors-per-address are turned away before a byte is read", async () => {
    const service = await startSite();
    const { relay, site } = await startTunnel(scope, {
      transport: "http2",
      local: service.local,
      relay: { args: ["--visitors-per-address", "5"] },
    });
    assert.equal(await get(site), "hello");
    const sockets = connectSilently(relay.publicPort, 30);
    await until(() => sockets.filter(({ closed }) => closed).length >= 20, "most were turned away");
    const counts = await limited(relay);
    assert.ok(Number(counts["visitors-per-address"]) >= 20, JSON.stringify(counts));
    for (const socket of sockets) socket.destroy();
    // One more may come after a fifth of a second, which the clock has to see.
    const again = performance.now() + 500;
    await until(() => performance.now() > again, "a moment had passed");
    assert.equal(await get(site), "hello");
  });

  it("visitors of one address who stay don't get more than --streams-per-address", async () => {
    const service = await startSite();
    const { relay, site } = await startTunnel(scope, {
      transport: "http2",
      local: service.local,
      relay: { args: ["--streams-per-address", "5"] },
    });
    const staying = await Promise.all(Array.from({ length: 5 }, () => connectVisitor(scope, site)));
    const [more] = connectSilently(relay.publicPort, 1);
    await until(() => more?.closed ?? false, "one more was turned away");
    assert.equal((await limited(relay))["streams-per-address"], 1);
    staying[0]?.destroy();
    await until(() => relay.counts().streams === 4, "one had left");
    assert.equal(await get(site), "hello");
    for (const visitor of staying) visitor.destroy();
  });

  it("who sends no ClientHello makes room for who does", async () => {
    const service = await startSite();
    const { relay, site } = await startTunnel(scope, {
      transport: "http2",
      local: service.local,
      relay: { args: ["--max-pending-hellos", "10"] },
    });
    const sockets = connectSilently(relay.publicPort, 50);
    await until(() => sockets.filter(({ closed }) => closed).length === 40, "forty had gone");
    assert.equal(await get(site), "hello");
    // That one took a place, too.
    assert.deepEqual(await limited(relay), { "pending-hellos": 41 });
    for (const socket of sockets) socket.destroy();
  });

  it("clients that say nothing are dropped early, and leave room when they go", async () => {
    const relay = await startTestRelay(scope, { args: ["--pending-clients", "5:100:5", "--max-penalty", "1m"] });
    const sockets = connectSilently(relay.apiPort, 12);
    await until(() => sockets.filter(({ closed }) => closed).length === 7, "seven were dropped");
    for (const socket of sockets) socket.destroy();
    await settled(relay);
    // Five left during the handshake: a second each, which is not enough yet.
    const connection = await dialRelay(scope, relay, "http2");
    connection.destroy(new PortholeError("closed", "test"));
    await connection.closed;
  });

  it("a source whose clients are refused again and again is kept out", async () => {
    const relay = await startTestRelay(scope, {
      args: ["--max-penalty", "1m"],
      authorize: async () => {
        throw new PortholeError("unauthorized", "not you");
      },
    });
    let refusals = 0;
    await assert.rejects(
      async () => {
        // Each with a key of its own: fifteen, or some more of one that takes its time, because what it has done is forgotten again.
        for (; refusals < 200; refusals++) {
          const link = createLink(await dialRelay(scope, relay, "http2"), { clock: scope.clock, heartbeat: "send" });
          link.control.send(hello);
          assert.equal((await link.control.next())?.type, "reject");
          await soon(link.closed, "the end of the link");
        }
      },
      { code: "busy" },
    );
    assert.ok(refusals >= 15, `kept out after ${refusals}`);
    assert.deepEqual(await limited(relay), { penalty: 1 });
  });

  it("more visitors than --max-visitors are turned away", async () => {
    const relay = await startTestRelay(scope, { args: ["--max-visitors", "3"] });
    const sockets = connectSilently(relay.publicPort, 5);
    await until(() => sockets.filter(({ closed }) => closed).length === 2, "two were turned away");
    const [first] = sockets.filter((socket) => !socket.closed);
    first?.destroy();
    await until(() => relay.counts().sockets === 2, "one had left");
    const [next] = connectSilently(relay.publicPort, 1) as [Socket];
    await once(next, "connect");
    await until(() => relay.counts().sockets === 3, "another one was let in");
    for (const socket of [...sockets, next]) socket.destroy();
  });
});
