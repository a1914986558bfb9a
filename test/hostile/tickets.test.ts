import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import dgram, { type Socket } from "node:dgram";
import { once } from "node:events";
import { createCertificate, generateKey, type IdentityKey } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import { dialQuic } from "@porthole/common/link/quic";
import { PortholeError } from "@porthole/common/errors";
import { dialRelay, needQuic, startTestRelay, ticketOf, until, useScope } from "@porthole/testing/end-to-end";
import { dropped, fresh } from "./worker-facts.ts";

const over = new PortholeError("closed", "The test is over");
const { signal: never } = new AbortController();

describe("A QUIC handshake whose ticket is not its own", function () {
  this.timeout(120_000);
  const scope = useScope();
  before(needQuic);

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
      // One from the same address may still meet the connection that it has begun, which is over.
      () => dropped(relay, "ticket-used") >= 3,
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
    const { dropped: before } = (await fresh(relay)).engine;
    here.send(packet, relay.apiPort, "127.0.0.1");
    // It was good from its own address. quiche is then asked for a Retry at once, and quinn finds first that nothing is in it.
    const { dropped: after, accepted } = (await fresh(relay)).engine;
    assert.deepEqual(after, before);
    assert.equal(accepted, 0);
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
