import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { PortholeError } from "../../errors.ts";
import { parseKey } from "../../identity/index.ts";
import { sized } from "@porthole/testing/size";
import { dayMs, hourMs, invalid, KeeperWorld, minuteMs } from "./fixture.test.ts";

const manyDays = sized(400, 1_100);

describe("CertificateKeeper", () => {
  let world: KeeperWorld;

  beforeEach(() => (world = new KeeperWorld()));
  afterEach(() => world.close());
  const failedAt = (index: number): number => ((world.issuer.orders[index]?.at ?? NaN) - world.clock.now()) / minuteMs;

  it("orders, serves, and says how it stands", async () => {
    const keeper = world.start();
    await world.clock.advance(5_000);
    assert.equal(world.served.length, 1);
    assert.equal(world.served[0]?.key, world.key);
    const notAfter = world.clock.now() - 5_000 + 90 * dayMs;
    assert.deepEqual(world.states, [
      { status: "pending", phase: "waiting" },
      { status: "pending", phase: "ordering" },
      { status: "valid", notAfter, renewAt: notAfter - 30 * dayMs },
    ]);
    assert.equal(keeper.state.status, "valid");
  });

  it(`${manyDays} days: always a valid certificate, and no order too many`, async () => {
    world.start({ random: Math.random });
    for (let day = 0; day < manyDays; day += 10) {
      await world.clock.advance(10 * dayMs);
      const latest = world.served.at(-1);
      assert.ok(latest && latest.notAfter - world.clock.now() > 19 * dayMs);
    }
    // The first, and one every 60 days.
    const expected = 1 + manyDays / 60;
    assert.ok(Math.abs(world.issuer.orders.length - expected) < 1.5, String(world.issuer.orders.length));
    assert.equal(world.issuer.orders[1]?.replaces?.pem, world.served[0]?.chainPem);
  });

  it("--acme-renew-days holds for long lives", async () => {
    world.issuer.lifetimeMs = 200 * dayMs;
    world.start({ renewDays: 30 });
    await world.clock.advance(169 * dayMs);
    assert.equal(world.issuer.orders.length, 1);
    await world.clock.advance(2 * dayMs);
    assert.equal(world.issuer.orders.length, 2);
  });

  it("the authority's window decides, also when it moves to today", async () => {
    world.issuer.window = (notBefore) => ({ start: notBefore + 80 * dayMs, end: notBefore + 81 * dayMs });
    world.start();
    await world.clock.advance(70 * dayMs);
    assert.equal(world.issuer.orders.length, 1);
    world.issuer.window = (notBefore) => ({ start: notBefore + 5 * dayMs, end: notBefore + 6 * dayMs });
    await world.clock.advance(dayMs);
    assert.equal(world.issuer.orders.length, 2);
    assert.ok(
      world.issuer.windowQuestions >= 4 * 70 && world.issuer.windowQuestions < 4 * 75,
      String(world.issuer.windowQuestions),
    );
    // One that is always past must not make us order indefinitely.
    world.issuer.window = () => ({ start: 0, end: 1 });
    await world.clock.advance(dayMs);
    assert.ok(world.issuer.orders.length <= 2 + 4, String(world.issuer.orders.length));
  });

  it("after a restart nothing is ordered and nobody is asked", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    const before = world.issuer.windowQuestions;
    for (let round = 0; round < 5; round++) {
      await world.restart();
      await world.clock.advance(minuteMs);
    }
    assert.equal(world.issuer.orders.length, 1);
    assert.equal(world.issuer.windowQuestions, before);
    assert.equal(world.served.length, 6);
    assert.equal(new Set(world.served.map(({ chainPem }) => chainPem)).size, 1);
  });

  it("without a key of the user's, each certificate has its own, kept with it", async () => {
    const own = { key: undefined };
    world.start(own);
    await world.clock.advance(minuteMs);
    await world.restart(own);
    await world.clock.advance(61 * dayMs);
    const prints = world.served.map((each) => each.key.fingerprint);
    assert.equal(prints.length, 3);
    assert.equal(prints[0], prints[1]);
    assert.notEqual(prints[1], prints[2]);
  });

  it("a failed renewal never takes the certificate away, and pauses as the table says", async () => {
    world.start();
    await world.clock.advance(59 * dayMs);
    world.issuer.error = new PortholeError("unreachable", "the authority can't be reached");
    await world.clock.advance(dayMs + hourMs);
    assert.equal(world.served.length, 1);
    const state = world.states.at(-1);
    assert.ok(state?.status === "failed" && state.error.code === "unreachable");
    assert.ok((state.notAfter ?? 0) > world.clock.now() && (state.nextAttemptAt ?? 0) > world.clock.now());
    const pauses = world.issuer.orders
      .slice(1)
      .map(({ at }, index, all) => (index === 0 ? 0 : at - (all[index - 1]?.at ?? 0)));
    assert.deepEqual(
      pauses.slice(1, 6).map((pause) => Math.round(pause / minuteMs)),
      [1, 2, 2, 5, 10],
    );
    await world.clock.advance(10 * dayMs);
    world.issuer.error = undefined;
    await world.clock.advance(7 * hourMs);
    assert.equal(world.served.length, 2);
    assert.equal(world.states.at(-1)?.status, "valid");
  });

  it("no more than five failed validations in any hour, restarts included", async () => {
    world.issuer.error = invalid();
    world.start();
    for (let round = 0; round < 200; round++) {
      await world.clock.advance(3 * minuteMs);
      if (round % 3 === 0) await world.restart();
    }
    const times = world.issuer.orders.map(({ at }) => at);
    for (const [index, at] of times.entries()) {
      const later = times.slice(index).filter((each) => each < at + hourMs).length;
      assert.ok(later <= 5, `${later} in the hour after ${new Date(at).toISOString()}`);
    }
    assert.ok(world.issuer.orders.slice(1).every(({ stagingFirst }) => stagingFirst));
  });

  it("Retry-After is kept to, also after a restart", async () => {
    world.issuer.error = new PortholeError("busy", "too many", { retryAfterMs: 40 * hourMs });
    world.start();
    await world.clock.advance(hourMs);
    const keeper = await world.restart();
    await world.clock.advance(38 * hourMs);
    assert.equal(world.issuer.orders.length, 1);
    assert.ok(keeper.state.status === "failed" && keeper.state.nextAttemptAt !== undefined);
    await world.clock.advance(2 * hourMs);
    assert.equal(world.issuer.orders.length, 2);
  });

  it("what only the user can change is not tried again by itself", async () => {
    world.issuer.error = new PortholeError("usage", "The authority wants an e-mail address", { hint: "Give one" });
    const keeper = world.start();
    await world.clock.advance(30 * dayMs);
    assert.equal(world.issuer.orders.length, 1);
    assert.ok(keeper.state.status === "failed" && keeper.state.nextAttemptAt === undefined);
    world.issuer.error = undefined;
    await world.restart();
    await world.clock.advance(minuteMs);
    assert.equal(world.served.length, 1);
  });

  it("a key that no authority certifies is said, and nothing is ordered", async () => {
    const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const keeper = world.start({ key: parseKey(ed25519, "test") });
    await world.clock.advance(dayMs);
    assert.equal(world.issuer.orders.length, 0);
    assert.ok(keeper.state.status === "failed" && keeper.state.error.code === "key");
  });

  it("a program that dies in each order does not order more often", async () => {
    world.issuer.hangs = true;
    world.start();
    for (let round = 0; round < 120; round++) {
      await world.clock.advance(30_000);
      await world.restart();
    }
    assert.ok(world.issuer.orders.length <= 6, String(world.issuer.orders.length));
  });

  it("runs once, and the same name is ordered by one keeper at a time", async () => {
    const keeper = world.start();
    await assert.rejects(keeper.run(new AbortController().signal), { code: "internal" });
    world.start();
    world.start();
    await world.clock.advance(minuteMs);
    assert.equal(world.issuer.orders.length, 1);
    assert.equal(world.served.length, 3);
  });

  it("waits for the way to be open; why it is not costs no order", async () => {
    let error: PortholeError | undefined = new PortholeError("unreachable", "Port 443 is closed");
    const keeper = world.start({
      whenReachable: async () => {
        if (error) throw error;
      },
    });
    await world.clock.advance(5 * hourMs);
    assert.equal(world.issuer.orders.length, 0);
    assert.ok(keeper.state.status === "failed" && keeper.state.error.message === "Port 443 is closed");
    assert.ok((keeper.state.nextAttemptAt ?? Infinity) <= world.clock.now() + 10 * minuteMs);
    error = undefined;
    await world.clock.advance(11 * minuteMs);
    assert.equal(world.served.length, 1);
  });

  it("asks for a quota, and comes back when there is one", async () => {
    const asked: boolean[] = [];
    let error: PortholeError | undefined = new PortholeError("busy", "weekly limit", { retryAfterMs: 5 * hourMs });
    const keeper = world.start({
      quota: async ({ isRenewal }) => {
        asked.push(isRenewal);
        if (error) throw error;
      },
    });
    await world.clock.advance(hourMs);
    assert.equal(world.issuer.orders.length, 0);
    assert.equal(keeper.state.status === "failed" && keeper.state.nextAttemptAt, world.clock.now() + 4 * hourMs);
    error = undefined;
    await world.clock.advance(61 * dayMs);
    assert.deepEqual(asked, [false, false, true]);
  });

  it("a world.clock that is years ahead: one order a day, and no more", async () => {
    const issued = world.issuer.issued.bind(world.issuer);
    world.issuer.issued = (forKey) => issued(forKey, world.clock.now() - 3_650 * dayMs);
    const keeper = world.start();
    await world.clock.advance(2.5 * dayMs);
    assert.ok(world.issuer.orders.length <= 3, String(world.issuer.orders.length));
    assert.ok(keeper.state.status === "failed" && /clock/.test(keeper.state.error.hint ?? ""));
  });

  it("a world.clock that is set back: the pause stays what it was", async () => {
    world.issuer.error = new PortholeError("busy", "no", { retryAfterMs: 2 * hourMs });
    world.start();
    await world.clock.advance(minuteMs);
    const now = world.clock.now.bind(world.clock);
    world.clock.now = () => now() - 365 * dayMs;
    await world.clock.advance(3 * hourMs);
    assert.equal(world.issuer.orders.length, 2);
  });

  it("stops in the middle of anything, at once", async () => {
    world.issuer.hangs = true;
    world.start();
    await turn();
    await world.end();
    world.start({
      whenReachable: (signal) =>
        new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
    });
    await world.clock.advance(minuteMs * 2);
    await world.end();
    assert.ok(world.states.every(({ status }) => status === "pending"));
    assert.ok(Number.isFinite(failedAt(0)));
  });

  it("refuses names that can't be certified in this way", () => {
    for (const bad of ["*.tunnel.test", "ABC.test", "127.0.0.1", "a_b.test", "abc.test."])
      assert.throws(() => world.start({ name: bad }), { code: "usage" });
  });
});
