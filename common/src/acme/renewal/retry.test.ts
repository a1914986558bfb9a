import assert from "node:assert/strict";
import { PortholeError } from "../../errors.ts";
import { afterFailure, noFailures, onClock, type RetryState } from "./retry.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const error = new PortholeError("ca", "no");

describe("retry", () => {
  it("pauses 1, 2, 2, 5, 10 ... minutes, then 6 hours each", () => {
    let state: RetryState = noFailures;
    const pauses: number[] = [];
    for (let at = 0, round = 0; round < 20; round++) {
      state = afterFailure(state, { error, at, wasInvalid: false, jitter: 0 });
      pauses.push(((state.nextAttemptAt ?? 0) - at) / minuteMs);
      at = state.nextAttemptAt ?? 0;
    }
    const table = [1, 2, 2, 5, 10, 10, 20, 20, 30, 30, 60, 60, 120, 120, 180, 360, 360, 360, 360, 360];
    assert.deepEqual(pauses, table);
  });

  it("jitter lengthens a pause by a tenth at most", () => {
    const state = afterFailure(noFailures, { error, at: 0, wasInvalid: false, jitter: 0.999 });
    assert.ok((state.nextAttemptAt ?? 0) > 1.09 * minuteMs && (state.nextAttemptAt ?? 0) < 1.1 * minuteMs);
  });

  it("Retry-After is kept to when it is longer", () => {
    const after = (retryAfterMs: number): number | undefined => {
      const busy = new PortholeError("busy", "no", { retryAfterMs });
      return afterFailure(noFailures, { error: busy, at: 0, wasInvalid: false, jitter: 0 }).nextAttemptAt;
    };
    assert.equal(after(3 * hourMs), 3 * hourMs);
    assert.equal(after(1_000), minuteMs);
  });

  it("the sixth validation comes an hour after the first that failed", () => {
    let state: RetryState = noFailures;
    for (let round = 0; round < 5; round++)
      state = afterFailure(state, { error, at: round * minuteMs, wasInvalid: true, jitter: 0 });
    assert.equal(state.nextAttemptAt, hourMs);
    state = afterFailure(state, { error, at: hourMs, wasInvalid: true, jitter: 0 });
    assert.equal(state.nextAttemptAt, hourMs + 10 * minuteMs, "the first is forgotten, and the table decides again");
    assert.deepEqual(
      state.invalidAt,
      [1, 2, 3, 4, 60].map((minutes) => minutes * minuteMs),
    );
  });

  it("what the user has to change waits for the user", () => {
    for (const code of ["usage", "key"] as const) {
      const stuck = new PortholeError(code, "no");
      const state = afterFailure(noFailures, { error: stuck, at: 0, wasInvalid: false, jitter: 0 });
      assert.equal(state.nextAttemptAt, Infinity);
    }
  });

  it("a clock that was set back changes no pause", () => {
    const state = afterFailure(noFailures, { error, at: 1_000 * hourMs, wasInvalid: true, jitter: 0 });
    assert.equal(onClock(state, 1_000 * hourMs), state);
    const moved = onClock(state, hourMs);
    assert.equal(moved.nextAttemptAt, hourMs + minuteMs);
    assert.deepEqual(moved.invalidAt, [hourMs]);
  });
});
