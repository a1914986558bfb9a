import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { FakeClock } from "@porthole/testing/fake-clock";
import { sleep, systemClock } from "./clock.ts";

describe("sleep", () => {
  it("resolves after the delay, and not before", async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    let isOver = false;
    const slept = sleep(clock, 100, signal).then(() => {
      isOver = true;
    });
    await clock.advance(99);
    assert.equal(isOver, false);
    await clock.advance(1);
    await slept;
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  it("rejects with the signal's reason and leaves no timer", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const reason = new Error("enough");
    const slept = sleep(clock, 100, controller.signal);
    controller.abort(reason);
    await assert.rejects(slept, reason);
    await assert.rejects(sleep(clock, 100, controller.signal), reason);
    assert.equal(clock.pending, 0);
  });
});

describe("the system's clock", () => {
  it("calls back once, or not at all when cancelled", async () => {
    const calls: string[] = [];
    systemClock.timer(0, () => calls.push("cancelled")).cancel();
    // Our timers keep no process alive; this one has to.
    const alive = setInterval(() => {}, 1_000);
    await new Promise<void>((resolve) => {
      systemClock.timer(1, () => {
        calls.push("called");
        resolve();
      });
    });
    clearInterval(alive);
    assert.deepEqual(calls, ["called"]);
  });

  it("reads what came to a process that stood still before it says that it is too late", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const reader = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [writer] = (await once(server, "connection")) as [net.Socket];
    const seen: string[] = [];
    reader.on("data", (chunk) => void seen.push(String(chunk)));
    await new Promise<void>((resolve) => {
      const tooLate = (): void => {
        seen.push("too late");
        resolve();
      };
      const cancelled = systemClock.timer(1, () => seen.push("cancelled"));
      systemClock.timer(1, tooLate);
      // Runs between the two timers' own time and the reading.
      setTimeout(() => cancelled.cancel(), 1);
      writer.end("in time");
      standStill(100);
    });
    assert.deepEqual(seen, ["in time", "too late"]);
    await Promise.all([once(reader.end(), "close"), new Promise((resolve) => server.close(resolve))]);
  });

  it("tells the time since 1970, and one that never jumps", () => {
    const earliest = Date.now();
    const now = systemClock.now();
    assert.ok(earliest <= now && now <= Date.now());
    const before = systemClock.monotonic();
    assert.ok(systemClock.monotonic() >= before);
  });
});

function standStill(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}
