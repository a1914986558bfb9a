import assert from "node:assert/strict";
import { AsyncQueue } from "./async-queue.ts";

describe("AsyncQueue", () => {
  it("gives items in order, whether the reader or the writer is first", async () => {
    const queue = new AsyncQueue<number>();
    const first = queue.next();
    queue.push(1);
    queue.push(2);
    assert.deepEqual(await first, { value: 1, done: false });
    assert.deepEqual(await queue.next(), { value: 2, done: false });
  });

  it("gives what is left after the end, then the end, to for await too", async () => {
    const queue = new AsyncQueue<number>();
    queue.push(1);
    queue.push(2);
    queue.end();
    assert.equal(queue.push(3), false);
    const seen: number[] = [];
    for await (const item of queue) seen.push(item);
    assert.deepEqual(seen, [1, 2]);
    assert.equal((await queue.next()).done, true);
  });

  it("ends a reader that waits", async () => {
    const queue = new AsyncQueue<number>();
    const next = queue.next();
    queue.end();
    assert.deepEqual(await next, { value: undefined, done: true });
  });

  it("takes no more than it may hold; a waiting reader is room", async () => {
    const queue = new AsyncQueue<number>(1);
    const next = queue.next();
    assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [true, true, false]);
    assert.deepEqual(await next, { value: 1, done: false });
    assert.deepEqual(await queue.next(), { value: 2, done: false });
    assert.equal(queue.push(4), true);
  });
});
