import assert from "node:assert/strict";
import { PortholeError, type ErrorCode } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing";
import { ClientGate, type PendingClient } from "./client-gate.ts";
import type { LimitName, RelayLimits } from "./relay-limits.ts";
import { testLimits } from "./fixture.test.ts";

describe("gate for clients", () => {
  let clock: FakeClock;
  let limits: RelayLimits;
  let reached: LimitName[];
  let chance: number;
  let gate: ClientGate;

  beforeEach(() => {
    clock = new FakeClock();
    limits = testLimits;
    reached = [];
    chance = 0.999;
    const onLimit = (limit: LimitName): void => void reached.push(limit);
    gate = new ClientGate({ clock, limits: () => limits, onLimit, random: () => chance });
  });

  function enter(address = "192.0.2.1"): PendingClient {
    assert.ok(gate.admits(address), "not let in");
    return gate.enter(address);
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
