import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing/fake-clock";
import { LinkSlot } from "./link-slot.ts";
import type { Session } from "./session.ts";
import { limits } from "./limits.ts";

describe("a place for one link", () => {
  function place() {
    const clock = new FakeClock();
    const stop = new AbortController();
    const attempts: { fail(): void }[] = [];
    const connect = (signal: AbortSignal): Promise<Session> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        attempts.push({ fail: () => reject(new PortholeError("unreachable", "no QUIC at present")) });
      });
    const settings = {
      transport: "quic",
      backoff: limits.quicRetry,
      persistent: () => true,
      isAwaited: () => false,
    } as const;
    const slot = new LinkSlot({ ...settings, clock, connect, onChange: () => {} }, stop.signal);
    return {
      slot,
      attempts,
      settle: () => clock.advance(0),
      async end() {
        stop.abort(new PortholeError("aborted", "The test is over"));
        await slot.done;
        assert.equal(clock.pending, 0, "a timer is left");
      },
    };
  }

  it("tries again at once when it is woken in its pause", async () => {
    const { slot, attempts, settle, end } = place();
    attempts[0]?.fail();
    await settle();
    assert.equal(slot.state.status, "waiting");
    slot.wake();
    await settle();
    assert.equal(attempts.length, 2);
    await end();
  });

  it("tries once more when what it lacked came while it asked", async () => {
    const { slot, attempts, settle, end } = place();
    slot.wakeOrRetry();
    attempts[0]?.fail();
    await settle();
    assert.equal(attempts.length, 2);
    attempts[1]?.fail();
    await settle();
    assert.equal(slot.state.status, "waiting");
    await end();
  });
});
