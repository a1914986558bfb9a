import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import type { Lock } from "@porthole/common/util";
import { FakeClock } from "@porthole/testing";
import { limits } from "./limits.ts";
import { MemoryLedger } from "./memory-ledger.test.ts";
import { takeTurn } from "./turns.ts";

const what = "to order";

describe("a turn of a cluster", () => {
  let clock: FakeClock;
  let ledger: MemoryLedger;
  let stop: AbortController;

  beforeEach(() => {
    clock = new FakeClock();
    ledger = new MemoryLedger(clock);
    stop = new AbortController();
  });

  const take = (node: string): Promise<Lock> => takeTurn(what, { ledger, node, clock }, stop.signal);

  /** Takes a turn, and says who has one. */
  function wait(node: string, taken: Map<string, Lock>): void {
    take(node).then(
      (lock) => void taken.set(node, lock),
      () => {},
    );
  }

  it("is one relay's at a time", async () => {
    const taken = new Map<string, Lock>();
    for (const node of ["a", "b", "c"]) wait(node, taken);
    const order: string[] = [];
    for (let round = 0; round < 3; round++) {
      await clock.advance(limits.turn.lookEveryMs);
      assert.equal(taken.size, 1);
      for (const [node, lock] of taken) {
        order.push(node);
        taken.delete(node);
        await lock.release();
      }
    }
    assert.deepEqual(order.toSorted(), ["a", "b", "c"]);
    assert.deepEqual(ledger.state.turns, {});
    assert.equal(clock.pending, 0, "a timer is left");
  });

  it("is kept for as long as it takes, and that of a relay that was killed ends", async () => {
    const taken = new Map<string, Lock>();
    const held = await take("a");
    wait("b", taken);
    await clock.advance(10 * limits.turn.lifetimeMs);
    assert.equal(held.signal.aborted, false);
    assert.equal(taken.size, 0);
    // Killed: nothing extends it any more.
    await held.release();
    await ledger.update(
      (state, now) => ({ ...state, turns: { [what]: { node: "killed", until: now + limits.turn.lifetimeMs } } }),
      stop.signal,
    );
    await clock.advance(limits.turn.lifetimeMs - 2 * limits.turn.lookEveryMs);
    assert.equal(taken.size, 0);
    await clock.advance(3 * limits.turn.lookEveryMs);
    assert.equal(taken.size, 1);
    await taken.get("b")?.release();
  });

  it("is lost, before its end, when it can't be extended; and waits for the engine", async () => {
    const held = await take("a");
    ledger.isAway = true;
    await clock.advance(limits.turn.lifetimeMs);
    assert.equal(held.signal.aborted, true);
    assert.equal(PortholeError.from(held.signal.reason).code, "state");
    const taken = new Map<string, Lock>();
    wait("b", taken);
    await clock.advance(60_000);
    assert.equal(taken.size, 0);
    ledger.isAway = false;
    await clock.advance(limits.turn.lookEveryMs);
    assert.equal(taken.size, 1);
    await taken.get("b")?.release();
    await held.release();
  });

  it("is not waited for any more when the relay stops", async () => {
    const held = await take("a");
    const waiting = assert.rejects(take("b"), { code: "draining" });
    await clock.advance(0);
    stop.abort(new PortholeError("draining", "The relay stops"));
    await waiting;
    await held.release();
    assert.equal(clock.pending, 0, "a timer is left");
  });
});
