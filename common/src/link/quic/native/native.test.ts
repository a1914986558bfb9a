import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import { PortholeError } from "../../../errors.ts";
import type { TransportConnection } from "../../types.ts";
import { accept, clientIdentity, dial, useNativeEngine, relayIdentity, selfSigned } from "../fixture.test.ts";
import type { QuicAcceptor } from "../index.ts";
import { loadNative } from "./binding.ts";
import { parseRemote } from "./connection.ts";

const over = new PortholeError("closed", "The test is over");
const engine = "native";

describe("the native QUIC engine", function () {
  this.timeout(60_000);
  let listener: QuicAcceptor;
  const { clients, listen } = useNativeEngine();

  async function connect(
    options: Parameters<typeof listen>[0] = {},
    dialOptions: Parameters<typeof dial>[1] = {},
  ): Promise<{ relay: TransportConnection; client: TransportConnection }> {
    listener = await listen(options);
    const [relay, client] = await Promise.all([
      accept(listener),
      dial(listener.address.port, { engine, ...dialOptions }),
    ]);
    clients.push(client);
    return { relay, client };
  }

  it("shows the relay the client's certificate, and both where the other is", async () => {
    const { relay, client } = await connect();
    assert.deepEqual(relay.peerCertificate, clientIdentity.der);
    assert.equal(client.peerCertificate, undefined);
    assert.deepEqual(client.remote, listener.address);
    assert.equal(relay.remote.address, "127.0.0.1");
    assert.equal(relay.maxStreams, 1_000);
    assert.ok((client.rttMs() ?? -1) >= 0);
    assert.throws(() => client.openStream(), { code: "busy" });
  });

  it("can't start with a key of another certificate, and not on a port that is taken", async () => {
    listener = await listen();
    const { port } = listener.address;
    await assert.rejects(listen({ port }), { code: "address" });
    await assert.rejects(listen({ key: clientIdentity.key }), { code: "key" });
    await assert.rejects(listen({ cert: "nonsense" }), { code: "key" });
    await assert.rejects(dial(port, { engine, trust: { kind: "pinned", pem: "nonsense" } }), { code: "key" });
    assert.throws(() => listener.setCertificate(relayIdentity.cert, clientIdentity.key), { code: "key" });
    clients.push(await dial(port, { engine }));
  });

  it("gives new connections a new certificate", async () => {
    const { relay } = await connect();
    const renewed = selfSigned("relay.example");
    listener.setCertificate(renewed.cert, renewed.key);
    await assert.rejects(dial(listener.address.port, { engine }), { code: "untrusted" });
    clients.push(await dial(listener.address.port, { engine, trust: { kind: "pinned", pem: renewed.cert } }));
    assert.doesNotThrow(() => relay.openStream());
  });

  it("tells the other side why, with every code that a close can have", async () => {
    for (const code of ["draining", "unauthorized", "limit"] as const) {
      const { relay, client } = await connect();
      await relay.close(new PortholeError(code, "because"));
      assert.equal((await client.closed).code, code);
      await listener.close();
    }
  });

  it("ends a handshake that nobody answers at its deadline, and when it is aborted", async () => {
    listener = await listen();
    const silent = dgram.createSocket("udp4").bind(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address();
    await assert.rejects(dial(port, { engine, handshakeTimeoutMs: 100 }), { code: "timeout" });
    const controller = new AbortController();
    const aborted = dial(port, { engine }, controller.signal);
    setTimeout(() => controller.abort(over), 50);
    await assert.rejects(aborted, over);
    silent.close();
  });

  it("drops garbage before the engine, and speaks of its version to who knows another", async () => {
    const { client } = await connect();
    const socket = dgram.createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const { port } = listener.address;
    const send = (bytes: Buffer): void => socket.send(bytes, port, "127.0.0.1");
    for (const length of [1, 20, 21, 500, 1_200, 1_400]) for (let i = 0; i < 20; i++) send(randomBytes(length));
    const unknown = Buffer.alloc(1_200, 0);
    unknown.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 9]);
    // Garbage of an unknown version may have an answer, too.
    const answer = new Promise<void>((resolve) => {
      socket.on("message", (packet) => {
        if (packet.subarray(5, 8).equals(Buffer.of(2, 9, 9))) resolve();
      });
    });
    send(unknown);
    await answer;
    const { connections, handshakes, accepted } = listener.stats();
    assert.deepEqual([connections, handshakes, accepted], [1, 0, 1]);
    assert.ok((client.rttMs() ?? -1) >= 0);
    socket.close();
  });

  it("follows a client to another address", async () => {
    listener = await listen();
    const nat = await openNat(listener.address.port);
    const [relay, client] = await Promise.all([accept(listener), dial(nat.port, { engine })]);
    clients.push(client);
    const before = relay.remote.port;
    await nat.move();
    const stream = relay.openStream();
    stream.end("is it you?");
    client.control.write("it is me");
    for await (const arrived of client.incoming) {
      const chunks: Buffer[] = [];
      for await (const chunk of arrived) chunks.push(chunk as Buffer);
      assert.equal(Buffer.concat(chunks).toString(), "is it you?");
      break;
    }
    await once(relay.control, "data");
    for (let i = 0; i < 200 && relay.remote.port === before; i++) {
      client.control.write("still me");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.notEqual(relay.remote.port, before);
    await client.close(over);
    nat.close();
  });

  it("can be asked anything about what is no more, and answers nothing", async () => {
    const { NativeEndpoint } = loadNative();
    const options = {
      ...{ address: "127.0.0.1", port: 0, ...relayIdentity, alpn: "x", congestion: "bbr", packetBytes: 1_350 },
      ...{ idleTimeoutMs: 1_000, handshakeTimeoutMs: 1_000, streamWindow: 65_536, linkWindow: 65_536, peerStreams: 1 },
    };
    const closed = new Promise<void>((resolve) => {
      const endpoint = NativeEndpoint.listen(options, 1, 1, undefined, () => {
        const events = new Uint32Array(50);
        if (endpoint.poll(events) === 0) return;
        endpoint.release();
        for (let i = 0; i < 500; i++) {
          const [link = 0, stream = 0, code = 0] = crypto.getRandomValues(new Uint32Array(3));
          assert.equal(endpoint.read(link, stream, new Uint8Array(code % 9)), -3);
          assert.equal(endpoint.write(link, stream, new Uint8Array(code % 9)), -3);
          assert.equal(endpoint.remote(link), null);
          assert.equal(endpoint.takeCertificate(link, new Uint8Array(code % 9)), 0);
          assert.equal(endpoint.ticket(link, new Uint8Array(code % 40)), false);
          endpoint.openStream(link, stream);
          endpoint.finish(link, stream, code % 2 === 0);
          endpoint.releaseStream(link, stream);
          endpoint.closeLink(link, code, code % 2 === 0);
          endpoint.forgetLink(link);
        }
        endpoint.counters(new Float64Array(3));
        endpoint.close();
        resolve();
      });
      endpoint.close();
    });
    await closed;
    assert.throws(() => NativeEndpoint.listen({ ...options, address: "nowhere" }, 1, 1, undefined, () => {}), {
      code: "address",
    });
  });

  it("reads addresses of both families", () => {
    assert.deepEqual(parseRemote("192.0.2.1:443"), { address: "192.0.2.1", port: 443 });
    assert.deepEqual(parseRemote("[2001:db8::1]:1"), { address: "2001:db8::1", port: 1 });
  });
});

/** Stands between client and relay, and can send the client's packets from another port from now on. */
async function openNat(relayPort: number): Promise<{ port: number; move(): Promise<void>; close(): void }> {
  const inside = dgram.createSocket("udp4").bind(0, "127.0.0.1");
  await once(inside, "listening");
  let client = 0;
  const outsides: dgram.Socket[] = [];
  const open = async (): Promise<void> => {
    const outside = dgram.createSocket("udp4").bind(0, "127.0.0.1");
    await once(outside, "listening");
    outside.on("message", (packet) => inside.send(packet, client, "127.0.0.1"));
    outsides.push(outside);
  };
  await open();
  inside.on("message", (packet, { port }) => {
    client = port;
    outsides.at(-1)?.send(packet, relayPort, "127.0.0.1");
  });
  return {
    port: inside.address().port,
    move: async () => {
      outsides.at(-1)?.removeAllListeners("message");
      await open();
    },
    close() {
      for (const socket of [inside, ...outsides]) socket.close();
    },
  };
}
