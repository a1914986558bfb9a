import assert from "node:assert/strict";
import { renewalTime, type RenewalOptions } from "./renewal.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe("renewalTime", () => {
  /** Days of life, options, and after how many days it is due. */
  const cases: readonly (readonly [string, number, Partial<RenewalOptions>, number])[] = [
    ["90 days: a third left", 90, {}, 60],
    ["64 days", 64, {}, 64 - 64 / 3],
    ["45 days", 45, {}, 30],
    ["10 days: still a third", 10, {}, 10 - 10 / 3],
    ["160 hours: half", 160 / 24, {}, 80 / 24],
    ["a day", 1, {}, 0.5],
    ["200 days, 30 to be left", 200, { renewDays: 30 }, 170],
    ["90 days, 30 to be left: a third anyway", 90, { renewDays: 30 }, 60],
    ["45 days, 30 to be left: never more than a third", 45, { renewDays: 30 }, 30],
    ["90 days, none to be left: a twentieth all the same", 90, { renewDays: 0 }, 85.5],
    ["jitter makes it earlier, by a day at most", 90, { jitter: 0.5 }, 59.5],
    ["and by a tenth of what is left for short ones", 6, { jitter: 0.5 }, 3 - 0.15],
    ["the authority's window", 90, { window: { start: 70 * dayMs, end: 72 * dayMs } }, 70],
    ["somewhere in it", 90, { window: { start: 70 * dayMs, end: 72 * dayMs }, jitter: 0.25 }, 70.5],
    ["it goes before --acme-renew-days", 200, { window: { start: 100 * dayMs, end: 101 * dayMs }, renewDays: 30 }, 100],
    ["a window that is over: now, but not within six hours", 90, { window: { start: -dayMs, end: -1 } }, 0.25],
    ["nor within a quarter of a short life", 0.5, { window: { start: -dayMs, end: -1 } }, 0.125],
    ["a window after the end: a twentieth left", 90, { window: { start: 100 * dayMs, end: 101 * dayMs } }, 85.5],
  ];
  for (const [title, days, options, expected] of cases) {
    it(title, () => {
      const at = renewalTime({ notBefore: 0, notAfter: days * dayMs }, { jitter: 0, ...options });
      assert.ok(Math.abs(at / dayMs - expected) < 1e-9, `${at / dayMs} days, expected ${expected}`);
    });
  }
});
