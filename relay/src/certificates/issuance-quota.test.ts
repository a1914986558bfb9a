import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PortholeError } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing/fake-clock";
import { fileQuotas } from "./issuance-quotas.ts";
import { noQuotaUsed, quotaLimits, quotaLeft, readQuotas, takeQuota, type QuotaState } from "./issuance-quota.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const limits = quotaLimits();

describe("quotas", () => {
  /** Takes one, or answers when there is one. */
  function take(state: QuotaState, name: string, now: number, owner = name): readonly [QuotaState, number | undefined] {
    const decision = takeQuota(state, name, owner, now, limits);
    return decision.granted ? [decision.state, undefined] : [state, decision.nextAt];
  }

  it("45 new names at once, then one every 3.7 hours", () => {
    let state = noQuotaUsed;
    let nextAt: number | undefined;
    for (let index = 0; index < 46; index++) [state, nextAt] = take(state, `name${index}.test`, 0);
    assert.equal(nextAt, limits.newNames.refillMs);
    assert.deepEqual(quotaLeft(state, "late.test", 0, limits), { all: 0, own: 0 });
    [state, nextAt] = take(state, "late.test", (nextAt ?? 0) - 1);
    assert.equal(nextAt, limits.newNames.refillMs);
    [state, nextAt] = take(state, "late.test", nextAt ?? 0);
    assert.equal(nextAt, undefined);
  });

  it("stays below Let's Encrypt's bucket for any mix of clients", () => {
    let state = noQuotaUsed;
    let theirs = 50;
    for (let hour = 0; hour < 60 * 24; hour++) {
      theirs = Math.min(50, theirs + hourMs / (202 * 60_000));
      for (let asker = 0; asker < 2; asker++) {
        const [after, nextAt] = take(state, `n${hour}-${asker}.test`, hour * hourMs);
        state = after;
        if (nextAt === undefined) theirs -= 1;
      }
      assert.ok(theirs >= 0, `hour ${hour}`);
    }
  });

  it("one name: the same quota within an hour, four a week, and none of the others'", () => {
    let state = noQuotaUsed;
    let granted = 0;
    for (let minute = 0; minute < 7 * 24 * 60; minute += 10) {
      const before = state;
      [state] = take(state, "flapping.test", minute * 60_000);
      if (state !== before) granted++;
    }
    assert.equal(granted, 4 + 3, "four at once, one more every 42 hours");
    assert.equal(quotaLeft(state, "other", 7 * dayMs, limits).all, 45);
  });

  it("a renewal costs nothing of what is for new names", () => {
    let [state] = take(noQuotaUsed, "old.test", 0);
    for (let index = 0; index < 44; index++) [state] = take(state, `n${index}.test`, 0);
    assert.equal(quotaLeft(state, "old.test", 0, limits).all, 0);
    [state] = take(state, "old.test", 2 * hourMs);
    assert.ok(state.names["old.test"]?.grantedAt === 2 * hourMs);
  });

  it("one owner gets a third of them, whatever the number of keys that it vouches for, and then a third of what comes", () => {
    let state = noQuotaUsed;
    let nextAt: number | undefined;
    for (let index = 0; index < 16; index++) [state, nextAt] = take(state, `name${index}.test`, 0, "greedy");
    assert.deepEqual(quotaLeft(state, "greedy", 0, limits), { all: 30, own: 0 });
    assert.deepEqual(quotaLeft(state, "other", 0, limits), { all: 30, own: 15 });
    assert.equal(nextAt, 3 * limits.newNames.refillMs);
    const refused = takeQuota(state, "more.test", "greedy", 0, limits);
    assert.equal(!refused.granted && refused.limit, "oneOwner");
    for (let index = 0; index < 30; index++)
      assert.equal(([state, nextAt] = take(state, `other${index}.test`, 0, `m${index % 2}`))[1], undefined);
    // What it has is not refused, and a renewal is nobody's share.
    assert.equal(take(state, "name0.test", 2 * hourMs, "greedy")[1], undefined);
    let granted = 0;
    for (let hour = 1; hour <= 7 * 24 + 1; hour++) {
      [state, nextAt] = take(state, `hour${hour}.test`, hour * hourMs, "greedy");
      if (nextAt === undefined) granted += 1;
    }
    assert.equal(granted, 15);
  });

  it("forgets owners who have their whole share again, and reads counts that knew none", () => {
    let [state] = take(noQuotaUsed, "a.test", 0, "one");
    [state] = take(state, "b.test", hourMs, "two");
    assert.deepEqual(Object.keys(state.owners), ["one", "two"]);
    [state] = take(state, "c.test", dayMs, "three");
    assert.deepEqual(Object.keys(state.owners), ["three"]);
    const { owners: _, ...old } = state;
    assert.deepEqual(readQuotas(old), { ...state, owners: {} });
  });

  it("a clock that is set back gives nothing away and locks nobody out", () => {
    let state = noQuotaUsed;
    for (let index = 0; index < 45; index++) [state] = take(state, `n${index}.test`, 365 * dayMs);
    const [, nextAt] = take(state, "new.test", 0);
    assert.equal(nextAt, limits.newNames.refillMs);
  });

  it("reads what it has written and nothing else", () => {
    const [state] = take(noQuotaUsed, "a.test", 5);
    assert.deepEqual(readQuotas(JSON.parse(JSON.stringify(state))), state);
    assert.deepEqual(readQuotas({ names: {} }), noQuotaUsed);
    for (const bad of [
      {},
      { names: 1 },
      { names: { a: {} } },
      { names: {}, newNames: { tokens: "1", at: 0 } },
      { names: {}, owners: { a: 1 } },
      { names: {}, owners: null },
    ])
      assert.throws(() => readQuotas(bad));
  });

  describe("on disk", () => {
    let folder: string;
    let path: string;
    const clock = new FakeClock();

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "porthole-quotas-"));
      path = join(folder, "quotas.json");
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    it("survive a restart, and many at once are counted one by one", async () => {
      const names = Array.from({ length: 50 }, (_, index) => `n${index}.test`);
      const results = await Promise.allSettled(
        names.map(
          (
            (office) => (name: string) =>
              office.take(name, name)
          )(fileQuotas(path, clock, limits)),
        ),
      );
      assert.equal(results.filter(({ status }) => status === "fulfilled").length, 45);
      const office = fileQuotas(path, clock, limits);
      assert.deepEqual(await office.left("new"), { all: 0, own: 0 });
      await assert.rejects(office.take("new.test", "new"), (thrown: PortholeError) => {
        assert.equal(thrown.code, "busy");
        assert.equal(thrown.retryAfterMs, limits.newNames.refillMs);
        return true;
      });
    });

    it("tell a owner whose share is used up so, also after a restart", async () => {
      for (let index = 0; index < 15; index++) await fileQuotas(path, clock, limits).take(`n${index}.test`, "greedy");
      await assert.rejects(fileQuotas(path, clock, limits).take("more.test", "greedy"), {
        ...{ code: "busy", message: /^Your share of the new names/, retryAfterMs: 3 * limits.newNames.refillMs },
      });
      await fileQuotas(path, clock, limits).take("more.test", "another");
    });

    it("count only when they are written; a damaged file gives none", async () => {
      await writeFile(path, "{");
      await assert.rejects(fileQuotas(path, clock, limits).take("a.test", "a"), { code: "state" });
      assert.equal(await readFile(path, "utf8"), "{");
      const blocked = fileQuotas(join(path, "x.json"), clock, limits);
      await assert.rejects(blocked.take("a.test", "a"), { code: "state" });
    });
  });
});
