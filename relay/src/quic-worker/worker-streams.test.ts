import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { PortholeError } from "@porthole/common/errors";
import { createLink, type TransportStream } from "@porthole/common/link";
import { systemClock } from "@porthole/common/util";
import { until, useQuicWorker } from "./fixture.test.ts";

const mebibyte = 1024 * 1024;
/** So that one visitor alone is never too much, however fast it was and however busy this machine is. */
const largestWindow = 4 * mebibyte;

describe("the QUIC worker's streams", function () {
  this.timeout(120_000);
  const quic = useQuicWorker();

  it("drops a visitor that does not read before a link holds too much, tells both sides, and the others continue", async () => {
    await quic.open({ maxHeldBytes: largestWindow });
    const ends = await quic.connect();
    const relay = createLink(ends.relay, { clock: systemClock, heartbeat: "watch" });
    const client = createLink(ends.client, { clock: systemClock, heartbeat: "send" });
    const failed: string[] = [];
    const told: string[] = [];
    void (async () => {
      for await (const stream of client.incoming) {
        stream.on("error", (error: PortholeError) => void told.push(error.code));
        stream.resume().end(Buffer.alloc(2 * mebibyte));
      }
    })();
    const streams = Array.from({ length: 20 }, () => relay.openStream());
    for (const stream of streams) {
      stream.on("error", (error: PortholeError) => void failed.push(error.code));
      stream.end("get");
    }
    await until(() => failed.length > 0, "one of them was dropped");
    const reads = streams.map(async (stream) => {
      let bytes = 0;
      for await (const chunk of stream) bytes += (chunk as Buffer).length;
      assert.equal(bytes, 2 * mebibyte);
    });
    const whole = (await Promise.allSettled(reads)).filter(({ status }) => status === "fulfilled").length;
    assert.ok(whole > 0);
    assert.deepEqual(
      failed,
      Array.from({ length: streams.length - whole }, () => "limit"),
    );
    await until(() => relay.openStreams + client.openStreams === 0, "no stream was left");
    assert.deepEqual(
      told,
      Array.from(failed, () => "aborted"),
    );
  });

  describe("an aborted stream", () => {
    async function failure(stream: Duplex): Promise<PortholeError> {
      const [error] = (await once(stream.resume(), "error")) as [PortholeError];
      return error;
    }

    // TransportConnections without links: no message says it.
    it("is one at the client by its end alone", async () => {
      await quic.open();
      const { relay, client } = await quic.connect();
      const link = createLink(client, { clock: systemClock, heartbeat: "watch" });
      const given = relay.openStream();
      given.write("half of it");
      const { value } = await link.incoming[Symbol.asyncIterator]().next();
      const failed = failure(value as Duplex);
      given.abort?.();
      assert.equal((await failed).code, "aborted");
    });

    it("is one at the relay by its end alone", async () => {
      await quic.open();
      const { relay, client } = await quic.connect();
      const link = createLink(relay, { clock: systemClock, heartbeat: "watch" });
      const stream = link.openStream();
      stream.write("continue");
      const { value: given } = await client.incoming[Symbol.asyncIterator]().next();
      const failed = failure(stream);
      (given as TransportStream).write("half of it");
      (given as TransportStream).abort?.();
      assert.equal((await failed).code, "aborted");
    });
  });

  it("holds nothing for visitors who have come and gone", async () => {
    await quic.open({ maxHeldBytes: largestWindow });
    const ends = await quic.connect();
    const relay = createLink(ends.relay, { clock: systemClock, heartbeat: "watch" });
    const client = createLink(ends.client, { clock: systemClock, heartbeat: "send" });
    void (async () => {
      for await (const stream of client.incoming)
        stream
          .on("error", () => {})
          .resume()
          .end(Buffer.alloc(mebibyte));
    })();
    for (let visitor = 0; visitor < 20; visitor++) {
      const stream = relay.openStream();
      stream.end("get");
      for await (const chunk of stream) {
        assert.ok((chunk as Buffer).length > 0);
        // Every other one leaves in the middle.
        if (visitor % 2 === 1) break;
      }
    }
    await until(() => relay.openStreams + client.openStreams === 0, "no stream was left");
    assert.deepEqual(quic.lines, []);
  });
});
