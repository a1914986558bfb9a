import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import tls from "node:tls";
import { createCertificate, generateKey, type IdentityKey } from "@porthole/common/identity";
import { PortholeError } from "@porthole/common/errors";
import { dialHttp2 } from "@porthole/common/link/http2";
import type { Relay } from "@porthole/relay";
import {
  connectVisitor,
  freePort,
  get,
  hashOf,
  listeningLog,
  overEachTransport,
  peerSeats,
  readAll,
  siteOf,
  soon,
  source,
  startCli,
  startHttp,
  startTcp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
  type PeerSeat,
  type Site,
} from "@porthole/testing/end-to-end";

describe("Relays that serve as one", function () {
  this.timeout(90_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("a visitor at one relay reaches the client at another, who sees its address and trace id", async () => {
      const [home, front] = await startRelays(2);
      const answer = source(4 * 1024 * 1024);
      const service = await startTcp(scope, (socket) => {
        void readAll(socket).then((question) => {
          assert.equal(question.toString(), "question");
          answer.stream.pipe(socket);
        });
      });
      const client = await startTestClient(scope, { servers: [home.relay.apiPort], transport, local: service.local });
      const site = await knownAt(front, await siteOf(client));
      const visitor = tls.connect({
        ...{ host: "127.0.0.1", port: site.port, localAddress: "127.0.0.2" },
        ...{ servername: site.hostname, ca: site.ca, allowHalfOpen: true },
      } as tls.ConnectionOptions);
      scope.defer(() => visitor.destroy());
      // Its end reaches the service, and the answer comes after it.
      visitor.end("question");
      const got = await soon(hashOf(visitor), "the answer");
      assert.deepEqual(got, { bytes: 4 * 1024 * 1024, hash: answer.hash() });
      const [visit] = await client.visited(1);
      assert.equal(visit?.error, undefined);
      assert.equal(visit?.address, "127.0.0.2");
      assert.equal(visit?.hostname, site.hostname);
      assert.ok(home.traces.includes(visit?.traceId ?? ""), "the trace id is the same");
      await until(() => home.relay.counts().streams === 0, "nothing was left open");
      const [towards] = front.relay.report().cluster?.peers ?? [];
      const [from] = home.relay.report().cluster?.peers ?? [];
      assert.equal(towards?.to.visitors, 1);
      assert.equal(from?.from.visitors, 1);
      assert.ok((from?.from.bytesOut ?? 0) > 4 * 1024 * 1024);
    });

    it("what breaks off on one side breaks off on the other", async () => {
      const [home, front] = await startRelays(2);
      const sockets: Socket[] = [];
      const service = await startTcp(scope, (socket) => void sockets.push(socket));
      const client = await startTestClient(scope, { servers: [home.relay.apiPort], transport, local: service.local });
      const site = await knownAt(front, await siteOf(client));

      const raw = net.connect({ host: "127.0.0.1", port: site.port });
      const leaving = tls.connect({ socket: raw, servername: site.hostname, ca: site.ca });
      leaving.on("error", () => {});
      leaving.write("half an upl");
      await until(() => sockets.length === 1, "the service had it");
      const [left] = sockets as [Socket];
      const leftEnd = assert.rejects(soon(readAll(left), "the visitor's end"));
      raw.resetAndDestroy();
      await leftEnd;

      const staying = await connectVisitor(scope, site);
      staying.write("hi");
      await until(() => sockets.length === 2, "the service had it");
      sockets[1]?.write("half an ans");
      await once(staying, "readable");
      const stayingEnd = assert.rejects(soon(readAll(staying), "the service's end"));
      sockets[1]?.resetAndDestroy();
      await stayingEnd;
      await until(() => home.relay.counts().streams === 0, "the client's relay had let go");
    });
  });

  it("a client that moves to another relay is found there, and a name that is nobody's is refused", async () => {
    const [first, second, front] = await startRelays(3);
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const client = await startTestClient(scope, {
      ...{ servers: [first.relay.apiPort], transport: "http2", local: service.local },
    });
    const site = await knownAt(front, await siteOf(client));
    assert.equal(await get(site), "hello");
    await client.stop();
    await until(() => namesAt(front) === 0, "the other relays knew that it has gone");
    await assert.rejects(get(site), /unrecognized.name/i);
    await startTestClient(scope, {
      ...{ servers: [second.relay.apiPort], transport: "http2", local: service.local },
      args: ["--state-dir", client.stateDir],
    });
    await until(() => namesAt(front) === 1, "the front relay knew where it is now");
    assert.equal(await get(site), "hello");
    assert.equal(second.relay.report().cluster?.peers.find(({ from }) => from.visitors > 0)?.node, front.node);
  });

  it("when a relay is killed, its clients' visitors wait until they are at another one", async () => {
    const [killed, other, front] = await peerSeats(scope, 3);
    assert.ok(killed && other && front);
    const [apiPort, pubPort] = [await freePort(), await freePort()];
    const process = startCli(scope, "relay", [
      ...["--api-port", String(apiPort), "--pub-port", String(pubPort), "--json", ...killed.args],
    ]);
    const grace = ["--startup-grace", "15s"];
    const [second, third] = [await startPeer(other, grace), await startPeer(front, grace)];
    await process.line(/Relay is ready/);
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const client = await startTestClient(scope, { servers: [apiPort], transport: "http2", local: service.local });
    const site = await knownAt(third, await siteOf(client));
    assert.equal(await get(site), "hello");
    await process.kill("SIGKILL");
    await until(
      () =>
        third.relay
          .report()
          .cluster?.peers.every(({ node, linksFrom }) => node !== killed.nodeKey.fingerprint || linksFrom === 0) ??
        false,
      "it was missed",
    );
    const waiting = get(site);
    waiting.catch(() => {});
    await startTestClient(scope, {
      ...{ servers: [second.relay.apiPort], transport: "http2", local: service.local },
      args: ["--state-dir", client.stateDir],
    });
    assert.equal(await soon(waiting, "the visitor who waited"), "hello");
    await client.stop();
  });

  it("a relay that stops hands its visitors over, and visitors under way finish", async () => {
    const [home, front] = await startRelays(2, ["--drain", "20s"]);
    let finish: (() => void) | undefined;
    const service = await startHttp(scope, (_request, response) => {
      response.write("begun ");
      finish = () => response.end("and finished");
    });
    const client = await startTestClient(scope, {
      ...{ servers: [home.relay.apiPort], transport: "http2", local: service.local },
    });
    const site = await knownAt(front, await siteOf(client));
    const answer = get(site);
    await until(() => finish !== undefined, "it had begun");
    const drained = home.relay.drain(new AbortController().signal);
    await until(() => front.relay.report().cluster?.peers[0]?.isLeaving === true, "the front relay knew it");
    finish?.();
    assert.equal(await soon(answer, "the answer"), "begun and finished");
    await soon(drained, "the end of the wait");
    await client.stop();
  });

  it("takes no relay without one of the keys, and dials none that has another", async () => {
    const [seat, stranger] = await peerSeats(scope, 2);
    assert.ok(seat && stranger);
    const { log, logged } = listeningLog();
    const refused = logged(/is not one of this cluster's relays/);
    // What listens at the other's address has a key of its own.
    const wrong = generateKey();
    await startImpostor(stranger.peerPort, wrong);
    const relay = await startTestRelay(scope, { args: seat.args, log });
    await refused;
    const incoming = logged(/Refused a relay/);
    const dialled = dialHttp2(
      {
        ...{ host: "127.0.0.1", port: seat.peerPort, cert: certificateOf(wrong), key: wrong.pem },
        trust: { kind: "unchecked" },
        verifyPeer: () => {},
      },
      { signal: AbortSignal.timeout(20_000) },
    );
    await assert.rejects(dialled, (error: PortholeError) => error instanceof PortholeError);
    await incoming;
    assert.deepEqual(
      relay.report().cluster?.peers.map(({ linksTo, linksFrom, isHeard }) => ({ linksTo, linksFrom, isHeard })),
      [{ linksTo: 0, linksFrom: 0, isHeard: false }],
    );
  });

  interface TestPeer {
    readonly relay: Relay;
    readonly node: string;
    /** Trace ids of visitors in its log. */
    readonly traces: readonly string[];
  }

  async function startPeer(seat: PeerSeat, args: readonly string[] = []): Promise<TestPeer> {
    const traces: string[] = [];
    const line = (fields: object): void => {
      if ("trace" in fields) traces.push(String(fields.trace));
    };
    const relay = await startTestRelay(scope, {
      args: [...seat.args, ...args],
      log: { debug: line, info: line, warn: line, error: line },
    });
    return { relay, node: seat.nodeKey.fingerprint, traces };
  }

  async function startRelays(count: 2, args?: readonly string[]): Promise<[TestPeer, TestPeer]>;
  async function startRelays(count: 3, args?: readonly string[]): Promise<[TestPeer, TestPeer, TestPeer]>;
  async function startRelays(count: number, args: readonly string[] = []): Promise<TestPeer[]> {
    const seats = await peerSeats(scope, count);
    return Promise.all(seats.map((seat) => startPeer(seat, args)));
  }

  /** The site at another relay, once that one knows of it. */
  async function knownAt(front: TestPeer, site: Site): Promise<Site> {
    await until(() => namesAt(front) > 0, "the other relay knew the name");
    return { ...site, port: front.relay.publicPort };
  }

  function namesAt({ relay }: TestPeer): number {
    return relay.report().cluster?.peers.reduce((sum, { names }) => sum + names, 0) ?? 0;
  }

  async function startImpostor(port: number, key: IdentityKey): Promise<void> {
    const server = tls.createServer({ cert: certificateOf(key), key: key.pem, ALPNProtocols: ["h2"] });
    server.on("tlsClientError", () => {});
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    scope.defer(() => new Promise((resolve) => server.close(resolve)));
  }
});

function certificateOf(key: IdentityKey): string {
  return createCertificate({ key, dnsNames: ["relay"], notBefore: new Date(), days: 1 }).pem;
}
