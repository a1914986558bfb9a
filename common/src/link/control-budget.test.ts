import assert from "node:assert/strict";
import { limits } from "../protocol/protocol.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { ControlBudget } from "./control-budget.ts";

function takeAll(budget: ControlBudget): number {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
}

describe("budget of control messages", () => {
  it("has a burst, and a rate after it", async () => {
    const clock = new FakeClock();
    const budget = new ControlBudget(clock);
    assert.equal(takeAll(budget), limits.controlBurst);
    await clock.advance(1_000);
    assert.equal(takeAll(budget), limits.controlPerSecond);
    await clock.advance(3_600_000);
    assert.equal(takeAll(budget), limits.controlBurst);
  });

  it("grows with the streams, however many they are", () => {
    const budget = new ControlBudget(new FakeClock());
    for (let i = 0; i < 10_000; i++) budget.earn();
    assert.equal(takeAll(budget), limits.controlBurst + 20_000);
  });
});
