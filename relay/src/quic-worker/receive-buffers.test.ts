import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { TransportStream } from "@porthole/common/link";
import { FakeClock } from "@porthole/testing";
import { ReceiveBuffers, type LinkReceiveBuffer } from "./receive-buffers.ts";

const kibibyte = 1024;

describe("what a link makes the QUIC worker hold", () => {
  let clock: FakeClock;
  let given: number[];
  let held: ReceiveBuffers;
  let one: LinkReceiveBuffer;

  beforeEach(() => {
    clock = new FakeClock();
    given = [];
    held = new ReceiveBuffers(clock, { perLink: 1024 * kibibyte, inAll: 1536 * kibibyte });
    one = held.link(({ id }) => given.push(id));
  });

  let nextId = 1;
  /** A visitor who has taken so much in a moment. */
  function visitor(bytes = 0, link = one): TransportStream {
    const stream: TransportStream = Object.assign(new PassThrough(), { id: nextId++ });
    link.watch(stream);
    for (let left = bytes; left > 0; left -= 16 * kibibyte) stream.emit("data", Buffer.alloc(16 * kibibyte));
    return stream;
  }

  it("is the first window of each visitor who does not read", async () => {
    const four = [1, 2, 3, 4].map(() => visitor().pause());
    assert.deepEqual(given, []);
    const fifth = visitor().pause();
    assert.deepEqual(given, [four[0]?.id]);
    const again = once(fifth, "resume");
    fifth.resume();
    await again;
    visitor().pause();
    assert.equal(given.length, 1, "who reads again counts no more");
  });

  it("grows with the speed of a visitor, and the largest goes first", () => {
    const slow = visitor().pause();
    const fast = visitor(8 * 1024 * kibibyte).pause();
    assert.deepEqual(given, [fast.id]);
    slow.destroy();
  });

  it("is dropped first where nobody has read for a while, however large the buffers of readers are", async () => {
    const stalled = visitor().pause();
    await clock.advance(10_000);
    const slow = visitor(600 * kibibyte).pause();
    assert.deepEqual(given, [stalled.id]);
    slow.destroy();
  });

  it("is bounded with all others together, and the largest is dropped", () => {
    const [first] = [1, 2, 3, 4].map(() => visitor().pause());
    const told: number[] = [];
    const [second, third] = [1, 2].map(() => held.link(({ id }) => told.push(id)));
    for (let visitors = 0; visitors < 2; visitors++) visitor(0, second).pause();
    assert.deepEqual(given, []);
    visitor(0, third).pause();
    assert.deepEqual([given, told], [[first?.id], []]);
  });

  it("does not grow with a visitor who reads much, but slowly", async () => {
    const visitors = [1, 2, 3, 4].map(() => visitor());
    for (let second = 0; second < 1_000; second++) {
      for (const each of visitors) each.emit("data", Buffer.alloc(16 * kibibyte));
      await clock.advance(2_000);
    }
    for (const each of visitors) each.pause();
    assert.deepEqual(given, []);
  });

  it("is nothing for one who has left", async () => {
    for (let i = 0; i < 20; i++) {
      const stream = visitor().pause();
      stream.destroy();
      await once(stream, "close");
    }
    assert.deepEqual(given, []);
  });
});
