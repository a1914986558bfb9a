import assert from "node:assert/strict";
import { Backoff } from "./backoff.ts";

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

describe("Backoff", () => {
  it("doubles up to its maximum, and starts over after a reset", () => {
    const backoff = new Backoff({ firstMs: 1_000, maxMs: 6_000, random: () => 0.999_999 });
    assert.deepEqual(delays(backoff, 5), [1_000, 2_000, 4_000, 6_000, 6_000]);
    backoff.reset();
    assert.deepEqual(delays(backoff, 2), [1_000, 2_000]);
  });

  it("waits anything between nothing and the ceiling", () => {
    const values = [0, 0.25, 0.5];
    const backoff = new Backoff({ firstMs: 1_000, maxMs: 30_000, random: () => values.shift() ?? 0 });
    assert.deepEqual(delays(backoff, 3), [0, 500, 2_000]);
  });

  it("is random by itself, within its bounds", () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 100 });
    for (const delayMs of delays(backoff, 1_000)) assert.ok(delayMs >= 0 && delayMs <= 100, `${delayMs}`);
  });
});
