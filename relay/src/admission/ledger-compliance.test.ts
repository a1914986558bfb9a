// What every ledger passes. It has the name of a test so that it is not published.
import assert from "node:assert/strict";
import { until } from "@porthole/testing";
import type { Enrollments } from "./enrollments.ts";
import { addInvite, useInvite } from "./invites.ts";
import type { Ledger } from "./ledger.ts";
import { grantName } from "./names.ts";
import type { Secret } from "@porthole/common/util";

const { signal } = new AbortController();
const hourMs = 3_600_000;

/** `open` opens one more ledger of the same records, as another process would. */
export function ledgerCompliance(open: () => Promise<Ledger<Enrollments>>): void {
  const ledgers: Ledger<Enrollments>[] = [];

  async function several(count: number): Promise<Ledger<Enrollments>[]> {
    const opened: Ledger<Enrollments>[] = [];
    for (let number = 0; number < count; number++) opened.push(await open());
    ledgers.push(...opened);
    return opened;
  }

  async function invite(ledger: Ledger<Enrollments>, uses = 1): Promise<Secret> {
    let token: Secret | undefined;
    await ledger.update((enrollments, now) => {
      const added = addInvite(enrollments, { uses, expiresAt: now + hourMs }, now);
      ({ token } = added);
      return added.enrollments;
    }, signal);
    return token ?? assert.fail();
  }

  afterEach(async () => {
    for (const ledger of ledgers.splice(0)) await ledger.close();
  });

  it("an invite for one lets one in, wherever it is used at the same time", async () => {
    const all = await several(3);
    const [first] = all as [Ledger<Enrollments>];
    const token = await invite(first);
    const attempts = all.flatMap((ledger, where) =>
      [0, 1, 2].map((which) =>
        ledger.update((enrollments, now) => useInvite(enrollments, token, `key-${where}-${which}`, now), signal),
      ),
    );
    const outcomes = await Promise.allSettled(attempts);
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") assert.match(String(outcome.reason), /the invite was used already/);
  });

  it("what one has written another one can use at once, and a name is given once", async () => {
    const all = await several(2);
    const [first, second] = all as [Ledger<Enrollments>, Ledger<Enrollments>];
    const token = await invite(first, 5);
    await second.update((enrollments, now) => useInvite(enrollments, token, "key", now), signal);
    const wanted = all.map((ledger, where) =>
      ledger.update((enrollments, now) => grantName(enrollments, "shop", `owner-${where}`, now), signal),
    );
    assert.equal((await Promise.allSettled(wanted)).filter(({ status }) => status === "fulfilled").length, 1);
    const { state } = (await several(1))[0] ?? assert.fail();
    assert.ok(state.keys["key"]);
    assert.ok(state.names["shop"]);
  });

  it("says when another one has changed something, and keeps nothing of a change that throws", async () => {
    const [first, second] = (await several(2)) as [Ledger<Enrollments>, Ledger<Enrollments>];
    let changes = 0;
    second.watch(() => {
      changes += 1;
    });
    await invite(first);
    await until(() => changes > 0, "the other one knew of it");
    assert.deepEqual(Object.keys(second.state.invites).length > 0, true);
    const before = first.state;
    await assert.rejects(
      first.update(() => {
        throw new Error("no");
      }, signal),
      /no/,
    );
    assert.deepEqual(first.state, before);
  });
}
