import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { PortholeError } from "@porthole/common/errors";
import type { LinkStream } from "@porthole/common/link";
import { sized } from "./size.ts";
import {
  accept,
  closeOf,
  endBoth,
  gone,
  hashOf,
  openStream,
  readAll,
  readToEnd,
  writeUntilStalled,
  type LinkPair,
} from "./link-pair.ts";

export interface ComplianceOptions {
  /** Streams that are aborted one after another over one link in the nightly run. Otherwise 100 are. */
  readonly manyAborts: number;
  /** Bytes that may be under way on one stream whose reader has stopped. */
  readonly maxStalledBytes: number;
}

const mebibyte = 1024 * 1024;
/** Broken transfers at once; as many end in order in the meantime. */
const broken = sized(60, 300);
const transferBytes = sized(4, 32) * mebibyte;

/** What every link must do, whatever carries it. A transport is done when it passes. Declares a mocha suite. */
export function linkCompliance(name: string, makePair: () => Promise<LinkPair>, options: ComplianceOptions): void {
  describe(`link compliance: ${name}`, function () {
    this.timeout(120_000);
    const aborts = sized(100, options.manyAborts);
    let pair: LinkPair;

    beforeEach(async () => {
      pair = await makePair();
    });

    afterEach(async () => {
      const over = new PortholeError("closed", "The test is over");
      await pair.client.close(over);
      await pair.relay.close(over);
      assert.equal(pair.relay.openStreams, 0, "streams left at the relay");
      assert.equal(pair.client.openStreams, 0, "streams left at the client");
      await pair.dispose();
    });

    it("carries control messages both ways, in order", async () => {
      pair.client.control.send({ type: "hello", protocol: 1, software: "test", instance: "i" });
      pair.client.control.send({ type: "goodbye", reason: "over" });
      assert.equal((await pair.relay.control.next())?.type, "hello");
      assert.equal((await pair.relay.control.next())?.type, "goodbye");
      pair.relay.control.send({ type: "drain", reason: "restart", deadlineMs: 1 });
      assert.deepEqual(await pair.client.control.next(), { type: "drain", reason: "restart", deadlineMs: 1 });
    });

    it("delivers a last control message before the close", async () => {
      pair.relay.control.send({ type: "reject", code: "unauthorized", message: "no" });
      await pair.relay.close(new PortholeError("unauthorized", "no"));
      const message = await pair.client.control.next();
      assert.equal(message?.type, "reject");
      await pair.client.closed;
    });

    it("delivers a client's last control message before the close", async () => {
      pair.client.control.send({ type: "hello", protocol: 1, software: "test", instance: "i" });
      assert.equal((await pair.relay.control.next())?.type, "hello");
      pair.client.control.send({ type: "goodbye", reason: "stopped" });
      await pair.client.close(new PortholeError("closed", "stopped"));
      const message = await pair.relay.control.next();
      assert.equal(message?.type, "goodbye");
      await pair.relay.closed;
    });

    it("delivers a last control message before the close when streams fill the path", async () => {
      const opened = Array.from({ length: 3 }, () => pair.relay.openStream());
      for (const stream of opened) {
        stream.on("error", () => {});
        stream.write(randomBytes(2 * mebibyte));
      }
      const accepted = await accept(pair.client);
      accepted.on("error", () => {}).resume();
      await once(accepted, "data");
      pair.relay.control.send({ type: "reject", code: "unauthorized", message: "no" });
      await pair.relay.close(new PortholeError("unauthorized", "no"));
      assert.equal((await pair.client.control.next())?.type, "reject");
      await pair.client.closed;
    });

    it("opens a stream with its first bytes, under the same id at both ends", async () => {
      const opened = pair.relay.openStream();
      opened.write("first");
      const accepted = await accept(pair.client);
      assert.equal(accepted.id, opened.id);
      const [chunk] = (await once(accepted, "data")) as [Buffer];
      assert.equal(chunk.toString(), "first");
      await endBoth(opened, accepted);
    });

    it("counts what its streams have carried lately, at both ends", async () => {
      // An old byte counts half after half a second; a thousandth leaves a busy machine five seconds between two lines.
      const bytes = 64 * 1024;
      const opened = pair.relay.openStream();
      opened.write(Buffer.alloc(bytes));
      assert.ok(pair.relay.recentBytes > bytes / 1_000, `the relay counts ${pair.relay.recentBytes}`);
      const accepted = await accept(pair.client);
      const [chunk] = (await once(accepted, "data")) as [Buffer];
      assert.ok(pair.client.recentBytes > chunk.length / 1_000, `the client counts ${pair.client.recentBytes}`);
      await endBoth(opened, accepted);
    });

    it("keeps the relay's half open after the client has ended", async () => {
      const { opened, accepted } = await openStream(pair);
      accepted.end("bye");
      assert.equal((await readAll(opened)).toString(), "bye");
      opened.end("still here");
      assert.equal((await readAll(accepted)).toString(), "still here");
      await gone(pair);
    });

    it("keeps the client's half open after the relay has ended", async () => {
      const { opened, accepted } = await openStream(pair);
      opened.end("request");
      assert.equal((await readAll(accepted)).toString(), "request");
      accepted.end("response");
      assert.equal((await readAll(opened)).toString(), "response");
      await gone(pair);
    });

    for (const direction of ["to the client", "to the relay"] as const) {
      it(`carries ${transferBytes / mebibyte} MiB ${direction} unchanged`, async () => {
        const { opened, accepted } = await openStream(pair);
        const [from, to] = direction === "to the client" ? [opened, accepted] : [accepted, opened];
        const sent = createHash("sha256");
        const received = hashOf(to);
        for (let i = 0; i < transferBytes / (64 * 1024); i++) {
          // Uneven sizes meet every boundary of frames and packets.
          const chunk = randomBytes(64 * 1024 + (i % 7) - 3);
          sent.update(chunk);
          if (!from.write(chunk)) await once(from, "drain");
        }
        from.end();
        assert.equal(await received, sent.digest("hex"));
        to.end();
        from.resume();
        await gone(pair);
      });
    }

    it("stops the writer when the reader stops, and other streams continue", async () => {
      const { opened, accepted } = await openStream(pair);
      accepted.pause();
      const written = await writeUntilStalled(opened);
      assert.ok(written <= options.maxStalledBytes, `${written} bytes under way on a stalled stream`);
      const other = await openStream(pair);
      other.opened.end("past the stalled one");
      assert.equal((await readAll(other.accepted)).toString(), "past the stalled one");
      other.accepted.end();
      await readAll(other.opened);
      const rest = hashOf(accepted);
      opened.end();
      await rest;
      accepted.end();
      opened.resume();
      await gone(pair);
    });

    it("tells the client of the relay's abort, and frees the stream", async () => {
      const { opened, accepted } = await openStream(pair);
      const failed = once(accepted, "error");
      opened.destroy();
      const [error] = (await failed) as [PortholeError];
      assert.equal(error.code, "aborted");
      await gone(pair);
    });

    it("tells the relay of the client's abort, and frees the stream", async () => {
      const { opened, accepted } = await openStream(pair);
      const failed = once(opened, "error");
      accepted.destroy();
      const [error] = (await failed) as [PortholeError];
      assert.equal(error.code, "aborted");
      await gone(pair);
    });

    it("does not take it for an abort that one side leaves after its end", async () => {
      const { opened, accepted } = await openStream(pair);
      accepted.end("bye");
      await once(accepted, "finish");
      accepted.destroy();
      assert.equal((await readAll(opened)).toString(), "bye");
      opened.end();
      await gone(pair);
    });

    it("tells who keeps talking to a side that has left", async () => {
      const { opened, accepted } = await openStream(pair);
      accepted.end();
      await once(accepted, "finish");
      accepted.destroy();
      await readAll(opened);
      const failed = once(opened, "error");
      opened.write("are you there?");
      assert.equal(((await failed) as [PortholeError])[0].code, "aborted");
      await gone(pair);
    });

    for (const direction of ["to the client", "to the relay"] as const) {
      it(`lets none of ${broken} broken transfers ${direction} look complete`, async () => {
        const pieces = Array.from({ length: 2 * broken }, (_, i) => randomBytes(1 + ((i * 7_919) % (96 * 1024))));
        const opened = pieces.map(() => pair.relay.openStream());
        for (const stream of opened) stream.write("x");
        const byId = new Map<number, LinkStream>();
        for (const _ of pieces) {
          const stream = await accept(pair.client);
          await once(stream, "data");
          stream.pause();
          byId.set(stream.id, stream);
        }
        const accepted = opened.map(({ id }) => byId.get(id) as LinkStream);
        const [from, to] = direction === "to the client" ? [opened, accepted] : [accepted, opened];
        const ends = Promise.all(to.map(readToEnd));
        // Every other one ends in order, in the same turn as its neighbour breaks.
        for (const [i, piece] of pieces.entries()) {
          from[i]?.write(piece);
          if (i % 2 === 0) from[i]?.end();
          else from[i]?.destroy(new PortholeError("aborted", "broken"));
        }
        const results = await ends;
        const odd = results.filter((_, i) => i % 2 === 1);
        assert.equal(odd.filter(({ how }) => how === "end").length, 0, "broken transfers that look complete");
        for (const [i, { how, bytes }] of results.entries())
          if (i % 2 === 0) assert.deepEqual({ how, bytes }, { how: "end", bytes: pieces[i]?.length });
        for (const stream of to) stream.end();
        for (const stream of from) stream.resume();
        await gone(pair);
      });
    }

    it("tells the client of a stream that is aborted in the turn in which it is opened", async () => {
      const streams = Array.from({ length: 200 }, () => pair.relay.openStream());
      for (const stream of streams) {
        stream.write("half");
        stream.destroy(new PortholeError("aborted", "broken"));
      }
      // QUIC never sends what was aborted before it left; what does arrive is broken.
      const last = pair.relay.openStream();
      last.end("whole");
      let wholes = 0;
      for (;;) {
        const stream = await accept(pair.client);
        const { how, bytes } = stream.destroyed ? { how: "error", bytes: 0 } : await readToEnd(stream);
        stream.end();
        if (how === "end" && ++wholes && bytes === 5) break;
      }
      assert.equal(wholes, 1);
      last.resume();
      await gone(pair);
    });

    it(`survives ${aborts} visitors who leave in mid-download`, async function () {
      this.timeout(300_000);
      const block = Buffer.alloc(256 * 1024);
      void (async () => {
        for await (const stream of pair.client.incoming) {
          stream.on("error", () => {});
          stream.on("drain", () => stream.write(block));
          stream.write(block);
          stream.resume();
        }
      })();
      const visitor = async (): Promise<void> => {
        const stream = pair.relay.openStream();
        stream.write("get");
        await once(stream, "data");
        stream.destroy();
        await closeOf(stream);
      };
      for (let left = aborts; left > 0; left -= 50) {
        await Promise.all(Array.from({ length: Math.min(50, left) }, visitor));
      }
      await gone(pair);
      await visitor();
      await gone(pair);
    });

    it("carries 1,000 streams at once and refuses one more", async () => {
      const echo = (async () => {
        for (let i = 0; i < pair.client.maxStreams || i < 1_000; i++) {
          const stream = await accept(pair.client);
          stream.pipe(stream);
        }
      })();
      const streams = Array.from({ length: 1_000 }, () => pair.relay.openStream());
      for (const [i, stream] of streams.entries()) stream.write(`visitor ${i}`);
      assert.throws(() => pair.relay.openStream(), { code: "busy" });
      await echo;
      const answers = await Promise.all(
        streams.map((stream) => {
          stream.end();
          return readAll(stream);
        }),
      );
      for (const [i, answer] of answers.entries()) assert.equal(answer.toString(), `visitor ${i}`);
      await gone(pair);
      const next = await openStream(pair);
      await endBoth(next.opened, next.accepted);
    });

    it("ends its streams with the link, on both sides", async () => {
      const { opened, accepted } = await openStream(pair);
      const ends = Promise.all([closeOf(opened), closeOf(accepted)]);
      await pair.relay.close(new PortholeError("draining", "restart"));
      await pair.client.closed;
      await ends;
      assert.throws(() => pair.relay.openStream(), { code: "closed" });
    });

    it("notices that the peer is gone", async () => {
      const { opened } = await openStream(pair);
      const end = closeOf(opened);
      pair.client.destroy(new PortholeError("closed", "pulled the plug"));
      await pair.relay.closed;
      await end;
    });
  });
}
