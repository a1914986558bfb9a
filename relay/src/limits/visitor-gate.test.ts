import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing";
import type { LimitName, RelayLimits } from "./relay-limits.ts";
import { testLimits } from "./fixture.test.ts";
import { VisitorGate, type VisitorSlot } from "./visitor-gate.ts";

describe("gate for visitors", () => {
  let clock: FakeClock;
  let limits: RelayLimits;
  let reached: LimitName[];
  let gate: VisitorGate;

  beforeEach(() => {
    clock = new FakeClock();
    limits = testLimits;
    reached = [];
    gate = new VisitorGate({ clock, limits: () => limits, onLimit: (limit) => void reached.push(limit) });
  });

  function enter(address = "192.0.2.1", giveUp = (): void => {}): VisitorSlot {
    assert.ok(gate.admits(address), "not let in");
    return gate.enter(address, giveUp);
  }

  it("lets 50 a second in from one address, and 100 at once", async () => {
    for (let i = 0; i < 100; i++) enter().left();
    assert.equal(gate.admits("192.0.2.1"), false);
    enter("192.0.2.2");
    await clock.advance(1_000);
    for (let i = 0; i < 50; i++) enter().left();
    assert.equal(gate.admits("192.0.2.1"), false);
    assert.deepEqual(reached, ["visitors-per-address", "visitors-per-address"]);
  });

  it("lets 500 a second visit one name, and 1,000 at once", async () => {
    limits = { ...limits, visitorsPerAddress: 0, streamsPerAddress: 0 };
    for (let i = 0; i < 1_000; i++) assert.ok(enter().mayVisit("one"));
    assert.equal(enter().mayVisit("one"), false);
    assert.ok(enter().mayVisit("two"));
    await clock.advance(1_000);
    for (let i = 0; i < 500; i++) assert.ok(enter().mayVisit("one"));
    assert.equal(enter().mayVisit("one"), false);
    assert.deepEqual(reached, ["visitors-per-name", "visitors-per-name"]);
  });

  it("lets as many visit one name at once as it may have", () => {
    limits = { ...limits, streamsPerClient: 2 };
    const [first, second, third] = [enter(), enter(), enter()];
    assert.ok(first.mayVisit("one"));
    assert.ok(second.mayVisit("one"));
    assert.equal(third.mayVisit("one"), false);
    first.left();
    first.left();
    assert.ok(third.mayVisit("one"));
    assert.equal(enter().mayVisit("one"), false);
    assert.deepEqual(reached, ["streams-per-client", "streams-per-client"]);
  });

  it("lets as many be there from one address at once as it may have", () => {
    limits = { ...limits, streamsPerAddress: 2 };
    const [first] = [enter("2001:db8::1"), enter("2001:db8::2")];
    assert.equal(gate.admits("2001:db8::3"), false);
    enter("2001:db8:0:1::1");
    first?.left();
    first?.left();
    enter("2001:db8::3");
    assert.equal(gate.admits("2001:db8::4"), false);
    assert.deepEqual(reached, ["streams-per-address", "streams-per-address"]);
  });

  it("lets no more in than may be there at once", () => {
    limits = { ...limits, maxVisitors: 2 };
    const [first] = [enter(), enter()];
    assert.equal(gate.admits("192.0.2.2"), false);
    assert.deepEqual(reached, ["max-visitors"]);
    first?.left();
    enter();
  });

  it("drops the longest-waiting visitor when one more comes than may wait", () => {
    limits = { ...limits, maxPendingHellos: 2 };
    const given: string[] = [];
    const [slow, quick] = ["slow", "quick"].map((name) => enter("192.0.2.1", () => void given.push(name)));
    enter();
    assert.deepEqual(given, ["slow"]);
    quick?.heard();
    assert.equal(gate.pending, 1);
    enter();
    assert.deepEqual(given, ["slow"]);
    slow?.left();
    assert.deepEqual(reached, ["pending-hellos"]);
  });
});
