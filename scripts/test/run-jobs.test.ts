import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Job } from "./plan.ts";
import { runJobs } from "./run-jobs.ts";

const nothing = { passed: [], skipped: [], failed: [], output: "" };
const job = (name: string): Job => ({ name, files: [] });

describe("runJobs", () => {
  it("runs as many side by side as it may, in their order", async () => {
    const running = new Set<string>();
    const seen: string[][] = [];
    const results = await runJobs([job("a"), job("b"), job("c"), job("d")], {
      width: 2,
      signal: new AbortController().signal,
      onResult: () => {},
      async run({ name }) {
        running.add(name);
        seen.push([...running]);
        await pause(10);
        running.delete(name);
        return nothing;
      },
    });
    assert.ok(seen.every((names) => names.length <= 2));
    assert.ok(seen.some((names) => names.length === 2));
    assert.deepEqual(
      seen.map((names) => names.at(-1)),
      ["a", "b", "c", "d"],
    );
    assert.deepEqual(results.map((each) => each.job.name).toSorted(), ["a", "b", "c", "d"]);
  });

  it("begins nothing more once it is to stop", async () => {
    const stop = new AbortController();
    const results = await runJobs([job("a"), job("b")], {
      width: 1,
      signal: stop.signal,
      onResult: () => stop.abort(),
      run: () => Promise.resolve(nothing),
    });
    assert.deepEqual(
      results.map((each) => each.job.name),
      ["a"],
    );
  });
});
