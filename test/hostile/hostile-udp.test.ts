import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import dgram, { type Socket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { createCertificate, generateKey, type IdentityKey } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import { dialQuic } from "@porthole/common/link/quic";
import { PortholeError } from "@porthole/common/errors";
import type { QuicWorkerFacts, Relay } from "@porthole/relay";
import {
  dialRelay,
  get,
  needQuic,
  siteOf,
  start,
  startHttp,
  startTestClient,
  startTestRelay,
  ticketOf,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

const over = new PortholeError("closed", "The test is over");
const { signal: never } = new AbortController();
const perSecond = 50_000;
const floodSeconds = 2;

describe("Hostile UDP", function () {
  this.timeout(120_000);
  const scope = useScope();
  before(needQuic);

  for (const [kind, what] of [
    ["garbage", "random datagrams"],
    ["initials", "strangers' handshakes"],
    ["tickets", "handshakes of one that has a ticket"],
    ["versions", "versions that nobody speaks"],
  ] as const) {
    it(`${perSecond} ${what} a second: the engine sees none of them, and every visitor is served`, async () => {
      const { relay, sites } = await world();
      const { accepted, answered } = (await fresh(relay)).engine;
      const begunAt = performance.now();
      const cpuBefore = await cpuMs(relay);
      const path = join(import.meta.dirname, "../../testing/src/end-to-end/flood-program.ts");
      const ticket = kind === "tickets" ? await ticketOf(scope, relay, generateKey()) : Buffer.alloc(0);
      const args = [String(relay.apiPort), kind, String(perSecond), String(floodSeconds), ticket.toString("hex")];
      const flood = start(scope, process.execPath, [path, ...args]);
      // The attacker's processors are not the relay's.
      setPriority(flood.child.pid ?? 0, constants.priority.PRIORITY_LOW);
      await flood.line(/ready/);
      const over = flood.line(/sent/);
      const visits = await visitUntil(sites, over);
      const sent = Number(/\d+/.exec(await over)?.[0]);
      const cpu = (await cpuMs(relay)) - cpuBefore;
      const facts = await fresh(relay);
      assert.equal(facts.engine.accepted, accepted);
      assert.equal(facts.restarts, 0);
      // What a process that has no time does not fetch the kernel throws away.
      assert.ok(total(facts) > sent / 100, `${total(facts)} of ${sent} were seen`);
      // 2,000 a second, whatever comes, and at once what one may have saved up.
      const seconds = (performance.now() - begunAt) / 1_000;
      assert.ok(facts.engine.answered - answered <= 2_000 * (seconds + 1));
      // A relay has other things to do, too, which count where the machine let the attacker send little.
      const allowedMs = 1_000 + sent / 20 + 10 * visits;
      const text = `${cpu} ms of processor time for ${sent} datagrams and ${visits} visits`;
      if (process.platform === "linux") assert.ok(cpu < allowedMs, text);
    });
  }

  it("a recorded handshake that is sent again, from elsewhere and from the same address", async () => {
    const relay = await startTestRelay(scope);
    const { relay: front, recorded } = await recorder(relay.apiPort);
    const key = generateKey();
    const connection = await dial(front.port, key, await ticketOf(scope, relay, key));
    await until(() => recorded.length > 2, "the handshake was recorded");
    await connection.close(over);
    const before = await fresh(relay);
    assert.equal(before.engine.accepted, 1);
    for (const socket of [front.socket, await udpSocket()])
      for (const datagram of recorded) socket.send(datagram, relay.apiPort, "127.0.0.1");
    await until(
      () => dropped(relay, "ticket-used") >= 4,
      () => `both Initials were dropped twice, not ${dropped(relay, "ticket-used")} times`,
    );
    assert.equal((await fresh(relay)).engine.accepted, 1);
    assert.equal((await fresh(relay)).engine.answered, before.engine.answered);
  });

  it("a ticket that was made for another address", async () => {
    const relay = await startTestRelay(scope);
    const packet = randomBytes(1_200);
    Buffer.from([0xc0, 0, 0, 0, 1, 20]).copy(packet);
    packet.writeUInt8(20, 26);
    (await ticketOf(scope, relay, generateKey())).copy(packet, 27);
    packet.writeUInt8(0, 47);
    const elsewhere = await udpSocket("127.0.0.2");
    elsewhere.send(packet, relay.apiPort, "127.0.0.1");
    await until(() => dropped(relay, "ticket-elsewhere") === 1, "it was dropped");
    const here = await udpSocket();
    const { answered } = (await fresh(relay)).engine;
    here.send(packet, relay.apiPort, "127.0.0.1");
    await until(() => Number(relay.quic()?.engine.answered) === answered + 1, "it was good from its own address");
    assert.equal((await fresh(relay)).engine.accepted, 0);
  });

  it("a ticket that was made for another key: its handshake leads nowhere", async () => {
    const relay = await startTestRelay(scope);
    const stolen = await ticketOf(scope, relay, generateKey());
    const thief = generateKey();
    const reason = await dial(relay.apiPort, thief, stolen).then((connection) => connection.closed);
    assert.equal(reason.code, "unauthorized");
    assert.equal(relay.counts().links, 0);
    await assert.rejects(dial(relay.apiPort, thief, stolen, 500), { code: "timeout" });
    await until(() => dropped(relay, "ticket-used") > 0, "the ticket was worth nothing any more");
    assert.equal(relay.quic()?.engine.accepted, 1);
  });

  it("no ticket at all: silence; and with --quic-admission open a handshake for everyone", async () => {
    const closed = await startTestRelay(scope);
    await assert.rejects(dial(closed.apiPort, generateKey(), randomBytes(20), 500), { code: "timeout" });
    await until(() => dropped(closed, "no-ticket") > 0, "it was dropped");
    assert.equal(closed.quic()?.engine.answered, 0);
    const open = await startTestRelay(scope, { args: ["--quic-admission", "open"] });
    await dial(open.apiPort, generateKey(), randomBytes(20));
    await dialRelay(scope, open, "quic");
  });

  /** A relay with visitors over HTTP/2 and over QUIC. */
  async function world(): Promise<{ readonly relay: Relay; readonly sites: readonly Site[] }> {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const relay = await startTestRelay(scope);
    const client = (transport: "http2" | "quic") =>
      startTestClient(scope, { servers: [relay.apiPort], local: service.local, transport });
    const sites = await Promise.all([client("http2"), client("quic")].map(async (each) => siteOf(await each)));
    return { relay, sites };
  }

  async function dial(
    port: number,
    key: IdentityKey,
    sourceId: Buffer,
    handshakeTimeoutMs = 5_000,
  ): Promise<TransportConnection> {
    const { pem } = createCertificate({ key, dnsNames: [], notBefore: new Date(), days: 1 });
    const connection = await dialQuic(
      {
        ...{ host: "127.0.0.1", port, cert: pem, key: key.pem, sourceId, handshakeTimeoutMs },
        trust: { kind: "unchecked" },
      },
      { signal: never },
    );
    scope.defer(() => connection.close(over));
    return connection;
  }

  async function udpSocket(address = "127.0.0.1"): Promise<Socket> {
    const socket = dgram.createSocket("udp4").bind(0, address);
    await once(socket, "listening");
    scope.defer(() => void socket.close());
    return socket;
  }

  /** A UDP port that leads to the relay's for one client, and remembers what the client has sent. */
  async function recorder(relayPort: number) {
    const recorded: Buffer[] = [];
    const [towardsClient, towardsRelay] = [await udpSocket(), await udpSocket()];
    let client: { readonly port: number } | undefined;
    towardsClient.on("message", (datagram, from) => {
      client = from;
      recorded.push(datagram);
      towardsRelay.send(datagram, relayPort, "127.0.0.1");
    });
    towardsRelay.on("message", (datagram) => {
      if (client) towardsClient.send(datagram, client.port, "127.0.0.1");
    });
    const { port } = towardsClient.address();
    return { relay: { port, socket: towardsRelay }, recorded };
  }
});

/** The relay's figures are those of the QUIC worker's last heartbeat. */
async function fresh(relay: Relay): Promise<QuicWorkerFacts> {
  const beats = relay.quic()?.beats ?? 0;
  await until(() => (relay.quic()?.beats ?? 0) >= beats + 2, "the QUIC worker's heart had beaten twice");
  return relay.quic() as QuicWorkerFacts;
}

function dropped(relay: Relay, reason: keyof QuicWorkerFacts["engine"]["dropped"]): number {
  return relay.quic()?.engine.dropped[reason] ?? 0;
}

function total({ engine }: QuicWorkerFacts): number {
  return Object.values(engine.dropped).reduce((sum, count) => sum + count, engine.answered);
}

async function cpuMs(relay: Relay): Promise<number> {
  if (process.platform !== "linux") return 0;
  // User and system time in hundredths of a second: proc(5).
  const fields = (await readFile(`/proc/${relay.quic()?.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Requests to all sites in turn, each on a connection of its own; returns how many there were, and rejects when one is not answered. How
 * long each takes is measured in bench/hostile-udp.ts.
 */
async function visitUntil(sites: readonly Site[], over: Promise<unknown>): Promise<number> {
  const progress = { isOver: false };
  const end = over.finally(() => (progress.isOver = true));
  let visits = 0;
  for (; !progress.isOver; visits += sites.length) for (const site of sites) await get(site);
  await end;
  return visits;
}
