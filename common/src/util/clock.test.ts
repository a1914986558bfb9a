import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { FakeClock } from "../testing/fake-clock.ts";
import { sleep, systemClock } from "./clock.ts";

describe("sleep", () => {
  it("resolves after the delay, and not before", async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    let isOver = false;
    const slept = sleep(clock, 100, signal).then(() => {
      isOver = true;
    });
    await clock.advance(99);
    assert.equal(isOver, false);
    await clock.advance(1);
    await slept;
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("rejects with the signal's reason and leaves no timer", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const reason = new Error("enough");
    const slept = sleep(clock, 100, controller.signal);
    controller.abort(reason);
    await assert.rejects(slept, reason);
    await assert.rejects(sleep(clock, 100, controller.signal), reason);
    assert.equal(clock.pending, 0);
  });
});

describe("the system's clock", () => {
  it("calls back once, or not at all when cancelled", async () => {
    const calls: string[] = [];
    systemClock.timer(0, () => calls.push("cancelled")).cancel();
    // Our timers keep no process alive; this one has to.
    const alive = setInterval(() => {}, 1_000);
    await new Promise<void>((resolve) => {
      systemClock.timer(1, () => {
        calls.push("called");
        resolve();
      });
    });
    clearInterval(alive);
    assert.deepEqual(calls, ["called"]);
  });

  it("tells the time since 1970, and one that never jumps", () => {
    assert.ok(Math.abs(systemClock.now() - Date.now()) < 1_000);
    const before = systemClock.monotonic();
    assert.ok(systemClock.monotonic() >= before);
  });
});
