import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { FakeClock } from "@porthole/testing/fake-clock";
import { deadline, orAbort, withDeadline } from "./abort.ts";

const never = new Promise<never>(() => {});
const stopped = new Error("stopped");

describe("withDeadline", () => {
  it("passes on what the work answers, and leaves no timer and no listener", async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    assert.equal(await withDeadline({ clock, delayMs: 10, what: "It", signal }, async () => "done"), "done");
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("rejects at the deadline even if the work hangs, and aborts it", async () => {
    const clock = new FakeClock();
    let inner: AbortSignal | undefined;
    const result = withDeadline({ clock, delayMs: 1_500, what: "The handshake" }, (signal) => {
      inner = signal;
      return never;
    });
    const outcome = assert.rejects(result, { code: "timeout", message: "The handshake took longer than 1.5 s" });
    await clock.advance(1_499);
    assert.equal(inner?.aborted, false);
    await clock.advance(1);
    assert.equal(inner.aborted, true);
    await outcome;
  });

  it("rejects with the parent's reason, before or during the work", async () => {
    const clock = new FakeClock();
    for (const isEarly of [true, false]) {
      const parent = new AbortController();
      if (isEarly) parent.abort(stopped);
      const result = withDeadline({ clock, delayMs: 10, what: "It", signal: parent.signal }, () => never);
      parent.abort(stopped);
      await assert.rejects(result, stopped);
      assert.equal(clock.pending, 0);
      assert.equal(getEventListeners(parent.signal, "abort").length, 0);
    }
  });
});

describe("deadline", () => {
  it("never aborts once it is released", async () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    const { signal, release } = deadline(clock, 10, "It", parent.signal);
    release();
    await clock.advance(20);
    parent.abort();
    assert.equal(signal.aborted, false);
  });
});

describe("orAbort", () => {
  it("takes the outcome of the promise when that comes first", async () => {
    const { signal } = new AbortController();
    assert.equal(await orAbort(signal, Promise.resolve(1)), 1);
    await assert.rejects(orAbort(signal, Promise.reject(stopped)), stopped);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("rejects when the signal has aborted before, and lets the promise fail unheard", async () => {
    await assert.rejects(orAbort(AbortSignal.abort(stopped), Promise.reject(new Error("unheard"))), stopped);
  });
});
