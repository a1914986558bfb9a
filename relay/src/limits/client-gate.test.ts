import assert from "node:assert/strict";
import { PortholeError, type ErrorCode } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing";
import { ClientGate, type PendingClient } from "./client-gate.ts";
import type { Held } from "./penalties.ts";
import type { LimitName, RelayLimits } from "./relay-limits.ts";
import { testLimits } from "./fixture.test.ts";

describe("gate for clients", () => {
  let clock: FakeClock;
  let limits: RelayLimits;
  let reached: LimitName[];
  let held: Held[];
  let chance: number;
  let gate: ClientGate;

  beforeEach(() => {
    clock = new FakeClock();
    limits = testLimits;
    reached = [];
    chance = 0.999;
    const onLimit = (limit: LimitName): void => void reached.push(limit);
    held = [];
    const onHeld = (one: Held): void => void held.push(one);
    gate = new ClientGate({ clock, limits: () => limits, onLimit, onHeld, random: () => chance });
  });

  function enter(address = "192.0.2.1"): PendingClient {
    assert.ok(gate.admits(address), "not let in");
    return gate.enter(address);
  }
  function enterAs(key: string, address?: string): PendingClient {
    const client = enter(address);
    try {
      client.identify(key);
    } catch (reason) {
      client.end(PortholeError.from(reason));
      throw reason;
    }
    return client;
  }

  /** Whatever becomes of it. */
  function refuse(key: string, isTest = false): void {
    const client = enter();
    try {
      client.identify(key);
      if (isTest) client.test();
      client.end(error("unauthorized"));
    } catch (reason) {
      client.end(PortholeError.from(reason));
    }
  }
  const error = (code: ErrorCode) => new PortholeError(code, "test");

  function fail(code: ErrorCode, times: number, address?: string): void {
    for (let i = 0; i < times; i++) enter(address).end(error(code));
  }

  it("drops none below the start, all at the full number, and a growing part in between", () => {
    for (let i = 0; i < 10; i++) enter();
    chance = 0.3;
    enter(); // 11th: the chance is 30 %
    chance = 0.29;
    assert.equal(gate.admits("192.0.2.1"), false);
    chance = 0.999;
    while (gate.pending < 100) enter();
    assert.equal(gate.admits("192.0.2.1"), false);
    assert.deepEqual(reached, ["pending-clients", "pending-clients"]);
  });

  it("counts a client as pending until it is admitted or has ended", () => {
    const [first, second] = [enter(), enter()];
    assert.equal(gate.pending, 2);
    first.admit("one");
    assert.equal(gate.pending, 1);
    second.end(error("timeout"));
    second.end(error("timeout"));
    assert.equal(gate.pending, 0);
    first.end(error("closed"));
    assert.equal(gate.pending, 0);
  });

  it("keeps a source out once what it did wrong is worth 15 s, and lets it in again when that is over", async () => {
    fail("unauthorized", 2);
    enter().end(error("unauthorized"));
    assert.equal(gate.admits("192.0.2.1"), false);
    assert.deepEqual(reached, ["penalty"]);
    enter("192.0.2.2").end(error("closed"));
    await clock.advance(17_999);
    assert.equal(gate.admits("192.0.2.1"), false);
    await clock.advance(1);
    enter();
  });

  it("keeps nobody out for longer than the longest penalty, however much it did", async () => {
    const open = Array.from({ length: 99 }, () => enter());
    for (const pendingClient of open) pendingClient.end(error("timeout"));
    await clock.advance(599_999);
    assert.equal(gate.admits("192.0.2.1"), false);
    await clock.advance(1);
    enter();
  });

  it("forgives what happens now and then", async () => {
    for (let i = 0; i < 20; i++) {
      fail("timeout", 1);
      await clock.advance(10_000);
    }
  });

  it("takes nothing amiss that is not the client's doing", () => {
    for (const code of ["busy", "draining", "internal", "state", "aborted"] as const) fail(code, 100);
  });

  it("keeps nobody out who was asked to come again", () => {
    const later = new PortholeError("unauthorized", "can't decide now", { retryAfterMs: 60_000 });
    for (let i = 0; i < 20; i++) enter().end(later);
    enter();
  });

  it("takes an IPv6 /64 for one source, and an IPv4 address in IPv6 for itself", () => {
    fail("unauthorized", 3, "2001:db8::1");
    assert.equal(gate.admits("2001:db8::ffff:2"), false);
    enter("2001:db8:0:1::1");
    fail("unauthorized", 3, "::ffff:198.51.100.1");
    assert.equal(gate.admits("198.51.100.1"), false);
    enter("::ffff:198.51.100.2");
  });

  it("charges a refused key first, and its address little, and once", async () => {
    for (let i = 0; i < 3; i++) enterAs("a key").end(error("unauthorized"));
    assert.throws(() => enterAs("a key"), { code: "busy", retryAfterMs: 18_000 });
    enterAs("another key").end(error("unauthorized"));
    enterAs("a key", "192.0.2.9").end(error("unauthorized"));
    // What admits it may have changed.
    gate.forgetRefusals();
    enterAs("a key").admit("one");
  });

  it("keeps an address out that invents keys", () => {
    for (let i = 0; i < 15; i++) enterAs(`key ${i}`).end(error("unauthorized"));
    assert.equal(gate.admits("192.0.2.1"), false);
  });

  it("lets a client in at once while three keys of its neighbours are refused in a loop", async () => {
    for (let second = 0; second < 600; second++) {
      for (const key of ["one", "two", "three"]) refuse(key);
      assert.ok(gate.admits("192.0.2.1"), `after ${second} s`);
      if (second % 100 === 99) {
        const healthy = enterAs(`healthy ${second}`);
        healthy.admit(`healthy ${second}`);
        healthy.end(error("closed"));
      }
      await clock.advance(1_000);
    }
  });

  it("charges an address nothing for refused keys while a client is there, or was within the hour", async () => {
    const client = enterAs("a client");
    client.admit("a client");
    const inventKeys = async (from: number): Promise<boolean> => {
      for (let i = from; i < from + 100; i++) {
        if (gate.admits("192.0.2.1")) gate.enter("192.0.2.1").end(error("unreachable"));
        await clock.advance(1_000);
        refuse(`key ${i}`);
      }
      return gate.admits("192.0.2.1");
    };
    assert.ok(await inventKeys(0));
    client.end(error("closed"));
    assert.ok(await inventKeys(100));
    await clock.advance(3_600_000);
    for (let i = 0; i < 15; i++) refuse(`late key ${i}`);
    assert.equal(gate.admits("192.0.2.1"), false);
  });

  it("drops refused connections beyond ten a second where a client is", async () => {
    enterAs("a client").admit("a client");
    let refused = 0;
    while (gate.admits("192.0.2.1")) {
      refuse(`key ${refused}`);
      refused += 1;
    }
    assert.equal(refused, 20);
    await clock.advance(100);
    assert.ok(gate.admits("192.0.2.1"));
  });

  it("charges nothing for a few tests of the relay", () => {
    for (let i = 0; i < 4; i++) refuse("a key", true);
    for (let i = 0; i < 2; i++) refuse("a key", true);
    enterAs("a key").end(error("unauthorized"));
    assert.throws(() => enterAs("a key"), { code: "busy" });
  });

  it("shows who is kept out, says so once, and lets in again", async () => {
    fail("timeout", 2, "2001:db8::1");
    fail("protocol", 3);
    const first = { source: "192.0.2.1", leftMs: 18_000, code: "protocol", times: 3 };
    const network = { source: "2001:0db8:0000:0000::/64", leftMs: 20_000, code: "timeout", times: 2 };
    assert.deepEqual(gate.held(), [network, first]);
    assert.deepEqual(held, [network, first]);
    await clock.advance(1_000);
    assert.deepEqual([gate.unblock("192.0.2.1"), gate.unblock("192.0.2.2")], [true, false]);
    enter();
    assert.equal(gate.unblock("2001:db8::ffff"), true);
    assert.deepEqual(gate.held(), []);
  });

  it("penalises nobody when told so", () => {
    limits = { ...limits, maxPenaltyMs: 0 };
    fail("unauthorized", 100);
  });

  for (const [limit, change, address, client] of [
    ["links-per-client", { linksPerClient: 2 }, "192.0.2.9", "one"],
    ["links-per-address", { linksPerAddress: 2 }, "192.0.2.1", "two"],
    ["max-links", { maxLinks: 2 }, "192.0.2.9", "two"],
  ] as const) {
    it(`refuses one more than ${limit}, until one has gone`, () => {
      limits = { ...limits, ...change };
      const present = [enter(), enter()];
      for (const pendingClient of present) pendingClient.admit("one");
      const third = enter(address);
      assert.throws(() => third.admit(client), { code: "busy", retryAfterMs: 10_000 });
      assert.deepEqual(reached, [limit]);
      third.end(error("busy"));
      present[0]?.end(error("closed"));
      enter(address).admit(client);
    });
  }
});
