import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { sized } from "@porthole/testing/size";
import { PortholeError } from "../../../errors.ts";
import { createCertificate, parseKey } from "../../../identity/index.ts";
import { systemClock, type Clock } from "../../../util/clock.ts";
import type { TransportConnection } from "../../types.ts";
import { quicAvailability } from "../engine.ts";
import { loadBinding, type QuicheConfig, type QuicheConnection } from "./binding.ts";
import { Connection } from "./connection.ts";
import { accept, clientIdentity, relayIdentity, selfSigned } from "../fixture.test.ts";
import { connectedPair, dial, listen } from "./fixture.test.ts";
import type { QuicAcceptor } from "../options.ts";
import { openAdmission } from "./gate/packet-gate.ts";
import { UdpAcceptor } from "./accept.ts";
import { UdpSocket } from "./udp-socket.ts";
import { limits } from "../../limits.ts";

const transferMebibytes = sized(4, 64);
const over = new PortholeError("closed", "The test is over");

describe("quic over UDP", function () {
  this.timeout(120_000);
  let listener: QuicAcceptor;
  let socketsBefore: number;
  const transports: TransportConnection[] = [];

  beforeEach(() => {
    socketsBefore = openSockets();
  });

  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close(over)));
    await eventually(() => listener.stats().connections === 0);
    assert.equal(listener.stats().handshakes, 0);
    await listener.close();
    await eventually(() => openSockets() === socketsBefore);
  });

  async function connect(
    ...options: Parameters<typeof connectedPair>
  ): Promise<{ relay: TransportConnection; client: TransportConnection }> {
    const pair = await connectedPair(...options);
    ({ listener } = pair);
    transports.push(pair.client);
    return pair;
  }

  it("shows the relay the client's certificate, and both where the other is", async () => {
    assert.ok(quicAvailability("quiche").available);
    const { relay, client } = await connect();
    assert.deepEqual(relay.peerCertificate, clientIdentity.der);
    assert.equal(client.peerCertificate, undefined);
    assert.deepEqual(client.remote, listener.address);
    assert.equal(relay.remote.address, "127.0.0.1");
    assert.equal(relay.maxStreams, 1_000);
    const rtt = client.rttMs();
    assert.ok(rtt !== undefined && rtt >= 0 && rtt < limits.quicHandshakeMs);
    assert.throws(() => client.openStream(), { code: "busy" });
    // A Retry, a second one where the first was long in coming, and nothing dropped.
    assert.ok(listener.stats().answered >= 1);
    assert.deepEqual(new Set(Object.values(listener.stats().dropped)), new Set([0]));
  });

  it(`carries ${transferMebibytes} MiB unchanged`, async () => {
    const { opened, accepted } = await open(await connect());
    const received = hashOf(opened);
    const sent = createHash("sha256");
    for (let i = 0; i < 16 * transferMebibytes; i++) {
      const chunk = randomBytes(64 * 1024 + (i % 7) - 3);
      sent.update(chunk);
      if (!accepted.write(chunk)) await once(accepted, "drain");
    }
    accepted.end();
    assert.equal(await received, sent.digest("hex"));
    opened.end();
    accepted.resume();
    await once(accepted, "close");
  });

  it("serves clients on IPv6, and on IPv4 through the same socket", async () => {
    listener = await listen({ address: "::" });
    for (const host of ["::1", "127.0.0.1"]) {
      const [relay, client] = await Promise.all([accept(listener), dial(listener.address.port, { host })]);
      transports.push(client);
      assert.equal(relay.remote.address, host);
      const { opened, accepted } = await open({ relay, client });
      opened.end();
      accepted.end();
      assert.equal(await hashOf(opened), await hashOf(accepted));
    }
  });

  it("refuses a relay with another certificate, a name that it doesn't have, and one that it can't check", async () => {
    listener = await listen();
    const { port } = listener.address;
    const pem = relayIdentity.cert;
    await assert.rejects(dial(port, { trust: { kind: "pinned", pem: selfSigned("relay.example").cert } }), {
      code: "untrusted",
    });
    await assert.rejects(dial(port, { trust: { kind: "ca", pem }, serverName: "other.example" }), {
      code: "untrusted",
    });
    await assert.rejects(dial(port, { trust: { kind: "ca" }, serverName: "relay.example" }), { code: "untrusted" });
    await assert.rejects(dial(port, { trust: { kind: "ca", pem } }), { code: "unavailable" });
    transports.push(await dial(port, { trust: { kind: "ca", pem }, serverName: "relay.example" }));
    transports.push(await dial(port, { trust: { kind: "unchecked" } }));
  });

  it("refuses what can't be a key or a certificate", async () => {
    listener = await listen();
    await assert.rejects(dial(listener.address.port, { key: "no key" }), { code: "key" });
    await assert.rejects(dial(listener.address.port, { key: relayIdentity.key }), { code: "key" });
    await assert.rejects(listen({ cert: "no certificate" }), { code: "key" });
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = parseKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "test");
    const { pem } = createCertificate({ key, dnsNames: [], notBefore: new Date(), days: 1 });
    await assert.rejects(dial(listener.address.port, { cert: pem, key: key.pem }), /ed25519/);
  });

  it("closes a peer that presents no certificate", async () => {
    listener = await listen();
    const reason = await rawClient(listener, (config) => config.setApplicationProtos(["porthole/1"]), false);
    assert.equal(reason.code, "protocol");
    assert.equal(listener.stats().accepted, 1);
  });

  it("closes a peer that resets its control stream", async () => {
    listener = await listen();
    const reason = await rawClient(
      listener,
      (config) => config.setApplicationProtos(["porthole/1"]),
      true,
      (engine) => {
        (engine as unknown as { streamShutdown(id: number, direction: 1, code: number): void }).streamShutdown(0, 1, 7);
      },
    );
    assert.equal(reason.code, "protocol");
  });

  it("closes a peer that speaks another protocol", async () => {
    listener = await listen();
    const reason = await rawClient(listener, (config) => config.setApplicationProtos(["h3"]), true);
    assert.ok(["version", "protocol"].includes(reason.code), reason.message);
  });

  it("stops waiting for a silent port at the deadline", async () => {
    listener = await listen();
    const silent = dgram.createSocket("udp4").bind(0, "127.0.0.1");
    await once(silent, "listening");
    await assert.rejects(dial(silent.address().port, { handshakeTimeoutMs: 50 }), { code: "timeout" });
    silent.close();
  });

  it("drops a handshake that stops in the middle, and refuses more than the limit at once", async () => {
    const handshakeTimeoutMs = 4_321;
    const deadlines = new Set<() => void>();
    const clock: Clock = {
      ...systemClock,
      timer(delayMs, callback) {
        if (delayMs !== handshakeTimeoutMs) return systemClock.timer(delayMs, callback);
        deadlines.add(callback);
        return { cancel: () => deadlines.delete(callback) };
      },
    };
    listener = await listen({ maxHandshakes: 2, handshakeTimeoutMs, clock });
    const stalled = await Promise.all([1, 2].map(() => stalledHandshake(listener)));
    await eventually(() => listener.stats().handshakes === 2);
    const third = new AbortController();
    const refused = assert.rejects(dial(listener.address.port, {}, third.signal), over);
    await eventually(() => listener.stats().dropped.handshakes > 0);
    third.abort(over);
    await refused;
    for (const end of deadlines) end();
    assert.equal(listener.stats().handshakes, 0);
    await Promise.all(stalled.map((stop) => stop()));
    transports.push(await dial(listener.address.port));
  });

  it("can be aborted before and during the handshake", async () => {
    listener = await listen({ admission: { ...openAdmission, refuses: () => "no-ticket" } });
    const reason = new PortholeError("aborted", "changed my mind");
    await assert.rejects(dial(listener.address.port, {}, AbortSignal.abort(reason)), reason);
    const controller = new AbortController();
    const dialled = dial(listener.address.port, {}, controller.signal);
    await eventually(() => listener.stats().dropped["no-ticket"] > 0);
    controller.abort(reason);
    await assert.rejects(dialled, reason);
  });

  it("lets admission see the client's connection id", async () => {
    const ticket = randomBytes(20);
    let seen: Buffer | undefined;
    const refuses = (sourceId: Buffer): undefined => {
      seen = Buffer.from(sourceId);
    };
    await connect({ admission: { ...openAdmission, refuses } }, { sourceId: ticket });
    assert.deepEqual(seen, ticket);
  });

  it("makes no engine object for garbage", async () => {
    const created = await listen();
    listener = created;
    assert.ok(created instanceof UdpAcceptor);
    const socket = dgram.createSocket("udp4");
    for (const length of [1, 20, 21, 500, 1200, 1400]) {
      for (let i = 0; i < 50; i++) socket.send(randomBytes(length), listener.address.port, "127.0.0.1");
    }
    created.receive(Buffer.alloc(1200, 0xc0), { address: "127.0.0.1", port: 0 });
    const total = (): number =>
      Object.values(listener.stats().dropped).reduce((sum, n) => sum + n, listener.stats().answered);
    await eventually(() => total() === 301);
    assert.equal(listener.stats().dropped["port-0"], 1);
    assert.equal(listener.stats().accepted, 0);
    socket.close();
    transports.push(await dial(listener.address.port));
  });

  it("serves a new certificate to new connections and keeps the old ones", async () => {
    const first = await connect();
    const renewed = selfSigned("relay.example");
    assert.throws(() => listener.setCertificate("no certificate", renewed.key), { code: "key" });
    listener.setCertificate(renewed.cert, renewed.key);
    await assert.rejects(dial(listener.address.port), { code: "untrusted" });
    transports.push(await dial(listener.address.port, { trust: { kind: "pinned", pem: renewed.cert } }));
    const { opened, accepted } = await open(first);
    opened.end();
    accepted.end();
    await hashOf(opened);
  });

  it("ends its connections with the listener", async () => {
    const { relay, client } = await connect();
    await listener.close();
    assert.equal((await relay.closed).code, "closed");
    assert.equal((await client.closed).code, "closed");
    assert.throws(() => relay.openStream(), { code: "closed" });
    for await (const _ of client.incoming) assert.fail("a stream");
  });

  it("tells a port that is taken", async () => {
    listener = await listen();
    await assert.rejects(listen({ port: listener.address.port }), { code: "address" });
  });
});

async function open(pair: {
  relay: TransportConnection;
  client: TransportConnection;
}): Promise<{ opened: Duplex; accepted: Duplex }> {
  const opened = pair.relay.openStream();
  opened.write("x");
  const { value: accepted } = await pair.client.incoming[Symbol.asyncIterator]().next();
  assert.equal(accepted.id, opened.id);
  await once(accepted, "readable");
  assert.equal(accepted.read(1)?.toString(), "x");
  return { opened, accepted };
}

/** A client that is not ours. Resolves to why it ended. */
async function rawClient(
  listener: QuicAcceptor,
  setup: (config: QuicheConfig) => void,
  withCert: boolean,
  onEstablished: (engine: QuicheConnection) => void = () => {},
): Promise<PortholeError> {
  const binding = loadBinding();
  const pem = (text: string): Uint8Array[] | undefined => (withCert ? [Buffer.from(text)] : undefined);
  const config = binding.Config.withBoringSslCtx(
    false,
    false,
    undefined,
    pem(clientIdentity.key),
    pem(clientIdentity.cert),
  );
  setup(config);
  config.setMaxIdleTimeout(2_000);
  config.setInitialMaxData(1_000_000);
  config.setInitialMaxStreamDataBidiLocal(100_000);
  let connection: Connection | undefined;
  const socket = await UdpSocket.open({
    address: "127.0.0.1",
    port: 0,
    packetBytes: 1350,
    onDatagram: (datagram, from) => connection?.receive(datagram, from),
  });
  const reason = await new Promise<PortholeError>((resolve) => {
    const here = { host: socket.local.address, port: socket.local.port };
    const there = { host: listener.address.address, port: listener.address.port };
    const engine = binding.Connection.connect(undefined, randomBytes(20), here, there, config);
    connection = new Connection({
      engine,
      side: "client",
      what: "raw client",
      local: socket.local,
      remote: listener.address,
      clock: systemClock,
      sender: socket,
      isPaced: false,
      maxStreams: 0,
      onEstablished: () => onEstablished(engine),
      onOver: resolve,
    });
    connection.start();
  });
  await socket.close();
  return reason;
}

/** Comes back after the Retry, as far as the relay's first packets, and then says nothing more. */
async function stalledHandshake(listener: QuicAcceptor): Promise<() => Promise<void>> {
  const binding = loadBinding();
  const config = binding.Config.withBoringSslCtx(false, false, undefined, undefined, undefined);
  config.setApplicationProtos(["porthole/1"]);
  const there = { host: listener.address.address, port: listener.address.port };
  const engine = { current: undefined as ReturnType<typeof binding.Connection.connect> | undefined };
  let sent = 0;
  const socket = await UdpSocket.open({
    address: "127.0.0.1",
    port: 0,
    packetBytes: 1350,
    onDatagram: (datagram, from) => {
      if (sent === 2) return;
      engine.current?.recv(datagram, { from: { host: from.address, port: from.port }, to: here });
      send();
    },
  });
  const here = { host: socket.local.address, port: socket.local.port };
  engine.current = binding.Connection.connect(undefined, randomBytes(20), here, there, config);
  function send(): void {
    const packet = socket.acquire();
    const result = engine.current?.send(packet);
    if (!result) return;
    sent += 1;
    socket.send(packet, result[0], listener.address);
    socket.flush();
  }
  send();
  return () => socket.close();
}

async function hashOf(stream: Duplex): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The test's own time-out is the deadline. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "UDPWrap").length;
}
