import assert from "node:assert/strict";
import { formatBytes, formatDay, formatDuration, formatMinute } from "./format.ts";

describe("figures for people", () => {
  for (const [bytes, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [1_600_000, "1.6 MB"],
    [3.2e15, "3200.0 TB"],
  ] as const)
    it(`${bytes} bytes are ${text}`, () => assert.equal(formatBytes(bytes), text));

  for (const [ms, text] of [
    [13, "13 ms"],
    [61_000, "61.0 s"],
    [5_400_000, "90 min"],
    [47 * 3_600_000, "47 h"],
    [30 * 86_400_000, "30 d"],
  ] as const)
    it(`${ms} ms are ${text}`, () => assert.equal(formatDuration(ms), text));
});

describe("formatDay and formatMinute", () => {
  it("are in universal time", () => {
    const time = Date.UTC(2026, 10, 24, 11, 5, 59);
    assert.deepEqual([formatDay(time), formatMinute(time)], ["2026-11-24", "2026-11-24 11:05 UTC"]);
  });
});
