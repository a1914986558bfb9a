import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing";
import { StartupGrace } from "./startup-grace.ts";

describe("startupGrace after a start", () => {
  let clock: FakeClock;
  let startupGrace: StartupGrace;
  let resumed: string[];

  beforeEach(() => {
    clock = new FakeClock();
    startupGrace = new StartupGrace(clock, 15_000);
    resumed = [];
  });

  afterEach(() => assert.equal(clock.pending, 0, "a timer is left"));

  const wait = (label: string, who = label) => startupGrace.wait(label, () => void resumed.push(who));

  it("are waited for, each name's visitors for itself", () => {
    wait("one", "first");
    wait("one", "second");
    wait("two")?.();
    startupGrace.arrived("two");
    assert.deepEqual(resumed, []);
    startupGrace.arrived("one");
    startupGrace.arrived("one");
    assert.deepEqual(resumed, ["first", "second"]);
  });

  it("are waited for until the time is over, and not after it", async () => {
    wait("one");
    await clock.advance(14_999);
    assert.deepEqual(resumed, []);
    await clock.advance(1);
    assert.deepEqual(resumed, ["one"]);
    assert.equal(wait("one"), undefined);
  });
});
