import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing";
import { drain } from "./drain.ts";

describe("draining", () => {
  let clock: FakeClock;
  let visitors: { lastNumber: number; oldest: number | undefined };
  let shutAt: number | undefined;
  let over: boolean;
  let impatience: AbortController;

  beforeEach(() => {
    clock = new FakeClock();
    shutAt = undefined;
    over = false;
    impatience = new AbortController();
  });

  afterEach(() => assert.equal(clock.pending, 0, "a timer is left"));

  function begin(lastNumber: number, oldest: number | undefined): void {
    visitors = { lastNumber, oldest };
    const shut = (): void => {
      shutAt = clock.monotonic();
    };
    void drain({ clock, delayMs: 30_000, visitors, shut }, impatience.signal).then(() => {
      over = true;
    });
  }

  it("is over at once when nobody is there", async () => {
    begin(7, undefined);
    await clock.advance(0);
    assert.deepEqual([shutAt, over], [0, true]);
  });

  it("lets new visitors in until the old ones have gone, and then waits for those", async () => {
    begin(7, 3);
    await clock.advance(5_000);
    assert.equal(shutAt, undefined);
    visitors.oldest = 8;
    await clock.advance(100);
    assert.deepEqual([shutAt, over], [5_100, false]);
    visitors.oldest = undefined;
    await clock.advance(100);
    assert.equal(over, true);
  });

  it("ends when the time is up, and leaves a third of it to who came last", async () => {
    begin(7, 3);
    await clock.advance(29_900);
    assert.deepEqual([shutAt, over], [20_000, false]);
    await clock.advance(100);
    assert.equal(over, true);
  });

  it("ends when somebody is impatient", async () => {
    begin(7, 3);
    await clock.advance(1_000);
    impatience.abort();
    await clock.advance(0);
    assert.equal(over, true);
  });
});
