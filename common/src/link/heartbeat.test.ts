import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing/fake-clock";
import { Heartbeat } from "./heartbeat.ts";
import { limits } from "./limits.ts";

const { heartbeatIntervalMs: idleMs, heartbeatAttentiveMs: attentiveMs, linkSilence } = limits;

describe("heartbeat", () => {
  /** One side of a link; the other answers pings after `answersAfterMs`, or not at all. */
  function side(role: "send" | "watch", answersAfterMs?: number) {
    const clock = new FakeClock();
    const seen: string[] = [];
    const it = {
      clock,
      seen,
      pings: 0,
      answersAfterMs,
      heartbeat: new Heartbeat({
        clock,
        role,
        rttMs: () => undefined,
        ping(n) {
          it.pings += 1;
          const { answersAfterMs: delayMs } = it;
          if (delayMs === undefined) return;
          clock.timer(delayMs, () => {
            it.heartbeat.heard();
            it.heartbeat.onPong(n);
          });
        },
        onDead(error) {
          it.heartbeat.stop();
          seen.push(`dead at ${clock.monotonic()} (${error.code})`);
        },
      }),
    };
    it.heartbeat.onSilence((isSilent) => seen.push(`${isSilent ? "silent" : "heard"} at ${clock.monotonic()}`));
    return it;
  }

  it("an idle client says every five seconds that it is there, and measures the round trip", async () => {
    const it = side("send", 30);
    await it.clock.advance(60_000);
    // Each one is followed by a look whether it was answered.
    assert.equal(it.pings, Math.floor(60_000 / (idleMs + attentiveMs)));
    assert.equal(it.heartbeat.rttMs(), 30);
    assert.deepEqual(it.seen, []);
  });

  it("an idle relay asks nobody who says that he is there", async () => {
    const it = side("watch", 30);
    for (let i = 0; i < 20; i++) {
      await it.clock.advance(idleMs - 1);
      it.heartbeat.heard();
    }
    assert.equal(it.pings, 0);
  });

  it("an idle relay that hears nothing asks, falls silent and ends", async () => {
    const it = side("watch");
    await it.clock.advance(60_000);
    assert.deepEqual(it.seen, [
      `silent at ${2 * idleMs + linkSilence.suspectMs}`,
      `dead at ${2 * idleMs + linkSilence.deadMs} (timeout)`,
    ]);
    assert.equal(it.clock.pending, 0);
  });

  it("what is sent into the dark is noticed at once, and what comes back ends it", async () => {
    const it = side("watch");
    await it.clock.advance(1_000);
    it.heartbeat.sent();
    await it.clock.advance(3_000);
    it.answersAfterMs = 20;
    await it.clock.advance(30_000);
    assert.equal(it.seen[0], `silent at ${1_000 + linkSilence.suspectMs}`);
    assert.match(it.seen[1] ?? "", /^heard at 4/);
    assert.equal(it.seen.length, 2);
  });

  it("what is in suspect is over sooner, unless anything comes", async () => {
    const it = side("watch");
    await it.clock.advance(1_000);
    it.heartbeat.suspect();
    await it.clock.advance(1_000);
    it.heartbeat.heard();
    it.heartbeat.sent();
    await it.clock.advance(linkSilence.movedMs);
    assert.ok(!it.seen.some((each) => each.startsWith("dead")));
    const suspectedAt = it.clock.monotonic();
    it.heartbeat.suspect();
    await it.clock.advance(linkSilence.deadMs);
    // It has been silent for nearly as long already.
    assert.equal(it.seen.at(-1), `dead at ${suspectedAt + 2 * attentiveMs} (timeout)`);
  });

  it("who sends all the time and hears something costs a few pings a second, and none when all is quiet", async () => {
    const it = side("send", 30);
    for (let i = 0; i < 100; i++) {
      it.heartbeat.sent();
      await it.clock.advance(10);
    }
    assert.ok(it.pings <= 1_000 / attentiveMs, `${it.pings} pings in a second`);
    const { pings } = it;
    await it.clock.advance(idleMs - 1);
    assert.ok(it.pings - pings <= 1, "it keeps asking");
  });

  it("is patient on a long way", async () => {
    const it = side("send", 350);
    for (let i = 0; i < 50; i++) {
      it.heartbeat.sent();
      await it.clock.advance(100);
    }
    const settled = it.seen.length;
    for (let i = 0; i < 50; i++) {
      it.heartbeat.sent();
      await it.clock.advance(100);
    }
    assert.equal(it.seen.length, settled, it.seen.join("; "));
  });

  it("a process that was stopped counts what it has not listened to as one interval", async () => {
    const it = side("send", 30);
    let late = 0;
    const clock = new FakeClock();
    const heartbeat = new Heartbeat({
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic() + late,
        timer: (ms, go) => clock.timer(ms, go),
      },
      role: "send",
      rttMs: () => undefined,
      ping: () => {},
      onDead: () => it.seen.push("dead"),
    });
    late = 3_600_000;
    await clock.advance(idleMs + attentiveMs);
    assert.equal(heartbeat.isSilent, false);
    heartbeat.stop();
    it.heartbeat.stop();
    assert.deepEqual(it.seen, []);
  });

  it("answers a probe, whatever else happens", async () => {
    const there = side("watch", 30);
    const answer = there.heartbeat.probe();
    await there.clock.advance(30);
    assert.equal(await answer, true);
    const gone = side("watch");
    const silence = gone.heartbeat.probe();
    await gone.clock.advance(linkSilence.suspectMs);
    assert.equal(await silence, false);
    assert.equal(await gone.heartbeat.probe(), false);
    const over = side("watch");
    const nothing = over.heartbeat.probe();
    over.heartbeat.stop();
    assert.equal(await nothing, false);
    assert.equal(await over.heartbeat.probe(), false);
  });
});
