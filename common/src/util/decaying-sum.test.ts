import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing/fake-clock";
import { DecayingSum } from "./decaying-sum.ts";

describe("DecayingSum", () => {
  it("is nothing at first", async () => {
    const clock = new FakeClock();
    const sum = new DecayingSum(clock, 500);
    assert.equal(sum.value, 0);
    await clock.advance(10_000);
    assert.equal(sum.value, 0);
  });

  it("counts what was added half after each half-life", async () => {
    const clock = new FakeClock();
    const sum = new DecayingSum(clock, 500);
    sum.add(1_000);
    assert.equal(sum.value, 1_000);
    await clock.advance(500);
    assert.equal(sum.value, 500);
    sum.add(300);
    assert.equal(sum.value, 800);
    await clock.advance(1_000);
    assert.equal(sum.value, 200);
  });
});
