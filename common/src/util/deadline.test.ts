import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing/fake-clock";
import { Deadline } from "./deadline.ts";

describe("a deadline that is set again and again", () => {
  let clock: FakeClock;
  let deadline: Deadline;
  let calls: string[];
  const set = (delayMs: number, name: string): void => deadline.set(delayMs, () => calls.push(name));

  beforeEach(() => {
    clock = new FakeClock();
    deadline = new Deadline(clock);
    calls = [];
  });

  it("calls back once, after the delay", async () => {
    set(100, "a");
    await clock.advance(99);
    assert.deepEqual(calls, []);
    await clock.advance(1);
    await clock.advance(1_000);
    assert.deepEqual(calls, ["a"]);
    assert.equal(clock.pending, 0);
  });

  it("counts from when it was set last, later or sooner, with one timer", async () => {
    set(100, "a");
    await clock.advance(60);
    set(100, "b");
    assert.equal(clock.pending, 1);
    await clock.advance(99);
    assert.deepEqual(calls, []);
    await clock.advance(1);
    assert.deepEqual(calls, ["b"]);
    set(1_000, "c");
    set(10, "d");
    assert.equal(clock.pending, 1);
    await clock.advance(10);
    assert.deepEqual(calls, ["b", "d"]);
    await clock.advance(2_000);
    assert.deepEqual(calls, ["b", "d"]);
  });

  it("does not call once cleared, and can be set again", async () => {
    set(100, "a");
    deadline.clear();
    await clock.advance(50);
    set(100, "b");
    await clock.advance(99);
    assert.deepEqual(calls, []);
    await clock.advance(1);
    assert.deepEqual(calls, ["b"]);
  });

  it("leaves no timer once stopped", async () => {
    set(100, "a");
    deadline.stop();
    assert.equal(clock.pending, 0);
    await clock.advance(1_000);
    assert.deepEqual(calls, []);
  });

  it("can be set by its own callback", async () => {
    deadline.set(10, () => set(10, "second"));
    await clock.advance(10);
    assert.deepEqual(calls, []);
    await clock.advance(10);
    assert.deepEqual(calls, ["second"]);
  });
});
