import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { sized } from "@porthole/testing/size";
import { PortholeError } from "../../../errors.ts";
import { initialStreamBytes } from "./config.ts";
import type { QuicStream } from "./stream.ts";
import { MemoryPair, type MemoryPairOptions } from "./memory-pair.test.ts";
import { limits } from "../../limits.ts";

/** Fewer than in a busy relay's life, but for the nightly run. */
const streamsInARow = sized(500, 10_000);
const abortedStreams = sized(200, 2_100);
const lossyStreams = sized(200, 2_000);
const lossyMebibytes = sized(2, 8);

const over = new PortholeError("closed", "The test is over");

describe("quic connection", function () {
  this.timeout(300_000);
  let pair: MemoryPair;

  async function connect(options: MemoryPairOptions = {}): Promise<MemoryPair> {
    pair = new MemoryPair(options);
    await pair.established;
    return pair;
  }

  afterEach(async () => {
    pair.client.close(over);
    pair.relay.close(over);
    await Promise.all([pair.clientOver, pair.relayOver]);
    assert.equal(pair.liveTimers, 0, "timers left");
    assert.equal(pair.client.openStreams, 0, "streams left at the client");
    assert.equal(pair.relay.openStreams, 0, "streams left at the relay");
  });

  async function open(): Promise<{ opened: QuicStream; accepted: QuicStream }> {
    const opened = pair.relay.openStream();
    opened.write("x");
    const accepted = await acceptStream();
    accepted.resume();
    await once(accepted, "data");
    accepted.pause();
    return { opened, accepted };
  }

  async function acceptStream(): Promise<QuicStream> {
    return (await pair.client.incoming.next()).value as QuicStream;
  }

  it("lets the relay write on the control stream first", async () => {
    await connect();
    pair.relay.control.write("welcome");
    const [chunk] = (await once(pair.client.control, "data")) as [Buffer];
    assert.equal(chunk.toString(), "welcome");
    pair.client.control.write("hello");
    const [answer] = (await once(pair.relay.control, "data")) as [Buffer];
    assert.equal(answer.toString(), "hello");
  });

  it(`carries ${lossyMebibytes} MiB each way through 5 % loss`, async () => {
    await connect({ loss: 0.05, seed: 7 });
    const { opened, accepted } = await open();
    const block = randomBytes(1024 * 1024);
    await Promise.all([
      send(opened, block, lossyMebibytes).then((sent) => assertReceived(accepted, sent)),
      send(accepted, block, lossyMebibytes).then((sent) => assertReceived(opened, sent)),
    ]);
    assert.ok(pair.lost > 40 * lossyMebibytes, `only ${pair.lost} packets were lost`);
  });

  it(`carries ${lossyMebibytes} MiB each way when packets are damaged, doubled and late`, async () => {
    await connect({ disorder: 0.03, seed: 5 });
    const { opened, accepted } = await open();
    const block = randomBytes(1024 * 1024);
    await Promise.all([
      send(opened, block, lossyMebibytes).then((sent) => assertReceived(accepted, sent)),
      send(accepted, block, lossyMebibytes).then((sent) => assertReceived(opened, sent)),
    ]);
  });

  it(`ends ${lossyStreams} streams in order through 5 % loss, whichever side ends first`, async () => {
    await connect({ loss: 0.05, seed: 11 });
    const accepted = new Map<number, (stream: QuicStream) => void>();
    void (async () => {
      for await (const stream of pair.client.incoming) accepted.get(stream.id)?.(stream as QuicStream);
    })();
    for (let i = 0; i < lossyStreams; i += 50) {
      await Promise.all(Array.from({ length: 50 }, async (_, j) => requestAndResponse(j % 3)));
    }
    await drained();

    async function requestAndResponse(order: number): Promise<void> {
      const opened = pair.relay.openStream();
      const arrival = new Promise<QuicStream>((resolve) => accepted.set(opened.id, resolve));
      opened.write("request");
      const answering = await arrival;
      answering.write("response");
      await Promise.all([once(opened, "readable"), once(answering, "readable")]);
      // Everything so far is acknowledged or soon will be, and the end comes alone.
      const [first, second] = order === 0 ? [opened, answering] : [answering, opened];
      first.end();
      second.resume();
      if (order !== 2) await once(second, "end");
      second.end();
      first.resume();
      await Promise.all([once(first, "close"), second.closed || once(second, "close")]);
    }
  });

  it("says why it closes also when the path is full of data", async () => {
    await connect();
    const { opened, accepted } = await open();
    for (const stream of [opened.resume(), accepted]) stream.on("error", () => {});
    accepted.write(randomBytes(8 * 1024 * 1024));
    await once(opened, "data");
    pair.client.close(new PortholeError("draining", "restart"));
    assert.equal((await pair.relayOver).code, "draining");
    assert.equal((await pair.clientOver).code, "draining");
  });

  it("survives a client whose address changes", async () => {
    await connect();
    const { opened, accepted } = await open();
    const block = randomBytes(256 * 1024);
    const sent = send(accepted, block, 16);
    await once(opened, "readable");
    pair.moveClient({ address: "127.0.0.3", port: 4444 });
    await assertReceived(opened, await sent);
    assert.deepEqual(pair.relay.remote, { address: "127.0.0.3", port: 4444 });
    opened.end();
    accepted.resume();
    await Promise.all([once(opened, "close"), once(accepted, "close")]);
  });

  it("sends again what went to the address that the client has left", async () => {
    await connect();
    const { opened, accepted } = await open();
    pair.moveClient({ address: "127.0.0.3", port: 4444 });
    const sent = await send(opened, randomBytes(1_000), 4);
    const started = Array.from({ length: 20 }, () => pair.relay.openStream().resume());
    for (const stream of started) stream.end(randomBytes(1_000));
    for (const lostBefore = pair.lost; pair.lost - lostBefore < 10;) await turn();
    accepted.end("here I am");
    await assertReceived(accepted, sent);
    for (const _ of started) (await acceptStream()).resume().end();
    opened.resume();
    await drained();
  });

  it("does not follow packets that anyone may have sent", async () => {
    await connect();
    const { opened, accepted } = await open();
    accepted.write("genuine");
    await once(opened.resume(), "data");
    const elsewhere = { address: "127.0.0.9", port: 9 };
    const { remote } = pair.relay;
    pair.relay.receive(randomBytes(1_200), elsewhere);
    pair.relay.receive(Buffer.from(pair.lastToRelay), elsewhere);
    await turn();
    assert.deepEqual(pair.relay.remote, remote);
    accepted.resume().end();
    opened.end();
    await drained();
  });

  it(`opens and ends ${streamsInARow} streams one after another and leaves nothing`, async () => {
    await connect();
    for (let i = 0; i < streamsInARow; i++) {
      const opened = pair.relay.openStream();
      opened.end("request");
      const accepted = await acceptStream();
      accepted.end("response");
      accepted.resume();
      opened.resume();
      await Promise.all([once(opened, "close"), once(accepted, "close")]);
    }
    assert.equal(pair.relay.openStreams, 0);
    assert.equal(pair.client.openStreams, 0);
    const all = Array.from({ length: limits.maxStreamsPerLink }, () => pair.relay.openStream());
    for (const stream of all) stream.abort();
    for (const stream of all) stream.resume();
    for (const _ of all) (await acceptStream()).resume().end();
    await drained();
  });

  it(`aborts ${abortedStreams} downloads in the middle without losing a stream's credit`, async () => {
    await connect();
    const block = Buffer.alloc(96 * 1024);
    for (let i = 0; i < abortedStreams; i++) {
      const opened = pair.relay.openStream();
      opened.write("get");
      const accepted = await acceptStream();
      accepted.resume();
      accepted.write(block);
      await once(opened, "data");
      // Half of them as link.ts does it, half as its last resort.
      if (i % 2) {
        accepted.abort();
        opened.end();
      } else {
        opened.destroy();
        accepted.destroy();
      }
    }
    await drained();
    for (const stream of Array.from({ length: limits.maxStreamsPerLink }, () => pair.relay.openStream())) {
      stream.resume().end("x");
    }
    for (let i = 0; i < limits.maxStreamsPerLink; i++) (await acceptStream()).resume().end();
    await drained();
  });

  it("lets streams continue while 100 others are not read", async () => {
    await connect();
    const counts: { readonly bytes: number }[] = [];
    for (let i = 0; i < 100; i++) counts.push(writeWhatFits((await open()).opened));
    const { opened, accepted } = await open();
    const sent = await send(opened, randomBytes(64 * 1024), 256);
    await assertReceived(accepted, sent);
    // What a stalled stream has under way: its window, and what the two Duplexes hold.
    for (const count of counts)
      assert.ok(count.bytes <= initialStreamBytes + 256 * 1024, `${count.bytes} bytes under way`);
  });

  it("continues for a reader who asks for more in the tick between reading and sending", async () => {
    await connect();
    const { opened, accepted } = await open();
    // Node reads on in the next tick where nobody listens.
    opened.resume().end();
    accepted.resume().end(Buffer.alloc(8 * 1024 * 1024));
    const startedAt = performance.now();
    await drained();
    assert.equal(opened.errored, null);
    assert.ok(performance.now() - startedAt < limits.quicIdleTimeoutMs);
  });

  it("reads a last message that comes with the close, in the tick between reading and sending", async () => {
    await connect();
    const { client, relay } = pair;
    const received: string[] = [];
    const held: Parameters<typeof client.receive>[] = [];
    const receive = client.receive.bind(client);
    client.receive = (...packet) => void held.push(packet);
    client.control.on("data", (chunk: Buffer) => {
      received.push(chunk.toString());
      process.nextTick(() => {
        for (const packet of held.splice(0)) receive(...packet);
      });
    });
    relay.control.write("first");
    for (let i = 0; i < 10; i++) await turn();
    const first = held.splice(0);
    relay.control.write("last");
    relay.close(over);
    for (let i = 0; i < 10; i++) await turn();
    assert.ok(first.length > 0 && held.length > 1);
    for (const packet of first) receive(...packet);
    await pair.clientOver;
    assert.deepEqual(received, ["first", "last"]);
  });

  it("takes turns between streams", async () => {
    await connect();
    const greedy = await open();
    const modest = await open();
    greedy.accepted.resume();
    let greedyBytes = 0;
    greedy.accepted.on("data", (chunk: Buffer) => (greedyBytes += chunk.length));
    greedy.opened.write(Buffer.alloc(64 * 1024 * 1024));
    await once(greedy.accepted, "data");
    modest.opened.end(Buffer.alloc(256 * 1024));
    modest.accepted.resume();
    await once(modest.accepted, "end");
    assert.ok(greedyBytes < 8 * 1024 * 1024, `${greedyBytes} bytes of the other stream came first`);
  });

  it("wears out by packets, and by streams that did not come to their end", async () => {
    const { packets, abortedStreams } = limits.quicLife;
    const bytes = 4 * 1024 * 1024;
    await connect();
    assert.ok(pair.client.exhaustion() < 100 / packets);
    const { opened, accepted } = await open();
    accepted.end(Buffer.alloc(bytes));
    opened.resume().end();
    accepted.resume();
    await drained();
    const byPackets = pair.client.exhaustion();
    assert.ok(byPackets > bytes / 2_000 / packets && byPackets < bytes / 500 / packets, `${byPackets}`);
    for (let i = 0; i < 500; i++) {
      const each = await open();
      each.accepted.destroy();
      each.opened.resume().end();
    }
    await drained();
    assert.equal(pair.client.exhaustion(), 500 / abortedStreams);
  });

  it("notices that the peer has vanished", async () => {
    await connect({ idleTimeoutMs: 2_000 });
    const { opened } = await open();
    pair.cut();
    const [error] = (await once(opened, "error")) as [PortholeError];
    assert.equal(error.code, "timeout");
    assert.equal((await pair.relayOver).code, "timeout");
    assert.equal((await pair.clientOver).code, "timeout");
  });

  it("tells the reason of a close by its code, even when the packet that says so is lost", async () => {
    await connect();
    const { accepted } = await open();
    pair.loseNext(1);
    pair.relay.close(new PortholeError("draining", "restart"));
    // Anything that the client sends is answered with it again.
    accepted.write("are you there?");
    assert.equal((await pair.clientOver).code, "draining");
    assert.throws(() => pair.relay.openStream(), { code: "closed" });
  });

  it("ends a handshake that is too long for anyone honest", async () => {
    pair = new MemoryPair({ handshakePaddingBytes: 200 * 1024 });
    assert.equal((await pair.relayOver).code, "limit");
    pair.cut();
  });

  async function drained(): Promise<void> {
    while (pair.relay.openStreams + pair.client.openStreams > 0) await turn();
  }
});

async function send(stream: QuicStream, block: Buffer, count: number): Promise<string> {
  const hash = createHash("sha256");
  void (async () => {
    for (let i = 0; i < count; i++) if (!stream.write(block)) await once(stream, "drain");
    stream.end();
  })();
  for (let i = 0; i < count; i++) hash.update(block);
  return Promise.resolve(hash.digest("hex"));
}

async function assertReceived(stream: QuicStream, expected: string): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) hash.update(chunk as Buffer);
  assert.equal(hash.digest("hex"), expected);
}

function writeWhatFits(stream: QuicStream): { bytes: number } {
  const block = Buffer.alloc(16 * 1024);
  const count = { bytes: 0 };
  const write = (): void => {
    do count.bytes += block.length;
    while (stream.write(block));
  };
  stream.on("drain", write);
  write();
  return count;
}
