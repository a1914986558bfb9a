import assert from "node:assert/strict";
import { PortholeError, type ErrorCode } from "@porthole/common/errors";
import { Backoff, type Clock } from "@porthole/common/util";
import { keepLinkUp, type LoopState } from "./run-loop.ts";
import type { Session } from "./session.ts";
import { limits } from "./limits.ts";

/** What one attempt does: fails to connect, or is online for a time and then ends. */
type Attempt =
  | { readonly fails: ErrorCode; readonly retryAfterMs?: number }
  | { readonly servesMs: number; readonly endsWith: ErrorCode };

/** Runs the loop over a script of attempts; its waits take no time. Ends it after the last one. */
async function play(attempts: readonly Attempt[], persistent = false, isAwaited = false): Promise<string[]> {
  const seen: string[] = [];
  const stop = new AbortController();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    timer(delayMs, callback) {
      const handle = setImmediate(() => {
        now += delayMs;
        callback();
      });
      return { cancel: () => clearImmediate(handle) };
    },
  };
  const script = [...attempts];
  await keepLinkUp(
    {
      clock,
      persistent,
      isAwaited,
      maxPauseMs: limits.reconnect.maxAfterServiceMs,
      backoff: new Backoff({ ...limits.reconnect, random: () => 1 }),
      wake: () => new Promise(() => {}),
      async connect() {
        const attempt = script.shift();
        if (!attempt) {
          stop.abort(new PortholeError("aborted", "The script is over"));
          throw stop.signal.reason;
        }
        if ("fails" in attempt)
          throw new PortholeError(
            attempt.fails,
            "scripted",
            attempt.retryAfterMs === undefined ? {} : { retryAfterMs: attempt.retryAfterMs },
          );
        const session = {
          async serve() {
            now += attempt.servesMs;
            return new PortholeError(attempt.endsWith, "scripted");
          },
        };
        return session as unknown as Session;
      },
      onState: (state) => seen.push(describeState(state)),
    },
    stop.signal,
  );
  return seen.filter((text) => text !== "connecting");
}

function describeState(state: LoopState): string {
  switch (state.status) {
    case "waiting":
      return `wait ${state.delayMs} (${state.error.code})`;
    case "failed":
      return `failed (${state.error.code})`;
    case "connecting":
    case "online":
    case "stopped":
      return state.status;
  }
}

describe("run loop", () => {
  it("waits longer after each failure, up to half a minute", async () => {
    const attempts = Array.from({ length: 7 }, (): Attempt => ({ fails: "unreachable" }));
    const seen = await play(attempts);
    assert.deepEqual(
      seen,
      [1, 2, 4, 8, 16, 30, 30].map((seconds) => `wait ${seconds * 1_000} (unreachable)`).concat("stopped"),
    );
  });

  it("starts over after a link that served for a while, and not after one that only came up", async () => {
    const seen = await play([
      { fails: "unreachable" },
      { servesMs: 100, endsWith: "closed" },
      { servesMs: limits.reconnect.stableAfterMs, endsWith: "closed" },
    ]);
    assert.deepEqual(seen, [
      "wait 1000 (unreachable)",
      "online",
      "wait 2000 (closed)",
      "online",
      "wait 1000 (closed)",
      "stopped",
    ]);
  });

  it("waits 8 seconds at most for a relay that was there before, and 4 for one that is there and busy", async () => {
    const gone = Array.from({ length: 6 }, (): Attempt => ({ fails: "unreachable" }));
    const seen = await play([{ servesMs: 0, endsWith: "closed" }, ...gone, { fails: "busy" }]);
    const waits = [1, 2, 4, 8, 8, 8, 8].map(
      (seconds, i) => `wait ${seconds * 1_000} (${i ? "unreachable" : "closed"})`,
    );
    assert.deepEqual(seen, ["online", ...waits, "wait 4000 (busy)", "stopped"]);
  });

  it("redials a relay that is gone all at once: first at once, then several times a second, and then with pauses", async () => {
    const { attempts, maxMs, afterServiceMs } = limits.redial;
    const gone = Array.from({ length: attempts + 1 }, (): Attempt => ({ fails: "unreachable" }));
    const seen = await play([{ servesMs: afterServiceMs, endsWith: "closed" }, ...gone], false, true);
    assert.deepEqual(seen, [
      "online",
      `wait ${maxMs} (closed)`,
      ...Array.from({ length: attempts - 1 }, () => `wait ${maxMs} (unreachable)`),
      "wait 1000 (unreachable)",
      "wait 2000 (unreachable)",
      "stopped",
    ]);
  });

  it("does not redial one that is silent, says no, or has not served for a moment", async () => {
    const { afterServiceMs, attempts } = limits.redial;
    const silent = await play([{ servesMs: afterServiceMs, endsWith: "timeout" }, { fails: "busy" }], false, true);
    assert.deepEqual(silent, ["online", "wait 1000 (timeout)", "wait 2000 (busy)", "stopped"]);
    const crashing = Array.from({ length: attempts + 1 }, (): Attempt => ({ servesMs: 1, endsWith: "closed" }));
    assert.equal((await play(crashing, false, true)).at(-2), "wait 1000 (closed)");
  });

  it("respects the relay's wish not to be tried earlier", async () => {
    assert.deepEqual(await play([{ fails: "busy", retryAfterMs: 60_000 }]), ["wait 60000 (busy)", "stopped"]);
  });

  for (const code of ["unauthorized", "name", "version", "untrusted", "protocol", "unavailable", "key"] as const) {
    it(`stops at once after ${code}`, async () => {
      assert.deepEqual(await play([{ fails: code }]), [`failed (${code})`]);
    });
  }

  it("survives anything but a refusal once it was online: it may be a captive portal", async () => {
    const seen = await play([
      { servesMs: 0, endsWith: "closed" },
      { fails: "untrusted" },
      { fails: "protocol" },
      { fails: "unauthorized" },
    ]);
    assert.deepEqual(seen, [
      "online",
      "wait 1000 (closed)",
      "wait 2000 (untrusted)",
      "wait 4000 (protocol)",
      "failed (unauthorized)",
    ]);
  });

  it("comes back to a relay that had let it in and can't judge it now, when the relay says", async () => {
    const cannotJudge: Attempt = { fails: "unauthorized", retryAfterMs: 60_000 };
    const seen = await play([{ servesMs: 0, endsWith: "closed" }, cannotJudge, { fails: "unauthorized" }]);
    assert.deepEqual(seen, ["online", "wait 1000 (closed)", "wait 60000 (unauthorized)", "failed (unauthorized)"]);
    assert.deepEqual(await play([cannotJudge]), ["failed (unauthorized)"]);
  });

  it("does the same from the start where another transport serves in the meantime", async () => {
    assert.deepEqual(await play([{ fails: "untrusted" }], true), ["wait 1000 (untrusted)", "stopped"]);
    assert.deepEqual(await play([{ fails: "unavailable" }], true), ["failed (unavailable)"]);
  });
});
