import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing";
import { drain } from "./drain.ts";
import type { Visit } from "./forwarder.ts";
import { limits } from "./limits.ts";

const { quietMs, maxMs } = limits.drain;

class FakeVisit implements Visit {
  readonly done = Promise.resolve();
  bytes = 0;
  isEnded = false;

  end(): void {
    this.isEnded = true;
  }
}

describe("draining a client", () => {
  let clock: FakeClock;
  let visit: FakeVisit;
  let close: () => void;
  let isOver: boolean;

  function begin(visits: readonly Visit[]): void {
    isOver = false;
    const linksClosed = new Promise<void>((resolve) => (close = resolve));
    void drain({ clock, visits: new Set(visits), linksClosed }).then(() => (isOver = true));
  }

  beforeEach(() => {
    clock = new FakeClock();
    visit = new FakeVisit();
  });
  afterEach(() => assert.equal(clock.pending, 0, "a timer is left"));

  it("is over as soon as the relay has closed the links", async () => {
    begin([visit]);
    await clock.advance(200);
    assert.equal(isOver, false);
    close();
    await clock.advance(0);
    assert.deepEqual([isOver, visit.isEnded], [true, false]);
  });

  it("ends visits whose bytes have stopped, and waits for the relay to pass on what was sent", async () => {
    begin([visit]);
    for (let i = 0; i < 20; i++) {
      visit.bytes += 1;
      await clock.advance(quietMs / 5);
    }
    assert.equal(visit.isEnded, false);
    await clock.advance(quietMs + limits.drain.lookMs);
    assert.deepEqual([isOver, visit.isEnded], [false, true]);
    close();
    await clock.advance(0);
    assert.equal(isOver, true);
  });

  it("waits no longer than its limit for a visitor without end", async () => {
    begin([visit]);
    for (let ms = 0; ms < maxMs; ms += quietMs / 2) {
      assert.equal(isOver, false);
      visit.bytes += 1;
      await clock.advance(quietMs / 2);
    }
    await clock.advance(0);
    assert.deepEqual([isOver, visit.isEnded], [true, false]);
  });

  it("waits only a moment for a relay that says nothing where nobody is there", async () => {
    begin([]);
    await clock.advance(quietMs);
    assert.equal(isOver, true);
  });
});
