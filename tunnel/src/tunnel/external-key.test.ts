import assert from "node:assert/strict";
import { sign as signWith } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { PortholeError } from "@porthole/common/errors";
import { generateKey, readGrant } from "@porthole/common/identity";
import { silentLogger } from "@porthole/common/log";
import { FakeClock } from "@porthole/testing";
import { ExternalKey, type Sign, type SignRequest } from "./external-key.ts";
import { limits } from "./limits.ts";

const held = generateKey();
const link = generateKey().fingerprint;
const { forMs, signDeadlineMs, lookMs, leastLeftMs, pause } = limits.grant;
const good: Sign = async ({ data }) => signWith("sha256", data, held.privateKey);

describe("a key that is elsewhere", () => {
  let folder: string;
  let clock: FakeClock;
  let asked: SignRequest[];
  let answer: Sign;
  const { signal } = new AbortController();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-external-"));
    clock = new FakeClock();
    asked = [];
    answer = good;
  });
  afterEach(async () => {
    assert.equal(clock.pending, 0, "a timer is left");
    await rm(folder, { recursive: true });
  });

  const open = (): Promise<ExternalKey> =>
    ExternalKey.open({
      ...{ identity: held, folder, clock, log: silentLogger },
      sign(request, within) {
        asked.push(request);
        return answer(request, within);
      },
    });

  it("has a key of this machine that stays, and a grant that names it", async () => {
    const key = await open();
    const grant = readGrant(await key.grantFor(link, signal), link);
    assert.equal(grant.by.fingerprint, held.fingerprint);
    assert.equal(grant.until, clock.now() + forMs);
    assert.notEqual(key.standIn.fingerprint, held.fingerprint);
    assert.equal((await open()).standIn.fingerprint, key.standIn.fingerprint);
  });

  it("is asked once for all that wait, one text after the other, and again when the grant is nearly over", async () => {
    const key = await open();
    const other = generateKey().fingerprint;
    let busy = 0;
    answer = async (request, within) => {
      assert.equal((busy += 1), 1, "two at a time");
      await turn();
      busy -= 1;
      return good(request, within);
    };
    const grants = await Promise.all([link, link, other, link].map((each) => key.grantFor(each, signal)));
    assert.equal(new Set(grants).size, 2);
    assert.equal(asked.length, 2);
    await clock.advance(forMs - leastLeftMs - 1);
    assert.equal(await key.grantFor(link, signal), grants[0]);
    await clock.advance(1);
    assert.notEqual(await key.grantFor(link, signal), grants[0]);
    assert.equal(asked.length, 3);
  });

  it("asks again for one that was cancelled while it waited its turn", async () => {
    const key = await open();
    const other = generateKey().fingerprint;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    answer = async (request, within) => {
      await released;
      return good(request, within);
    };
    const first = key.grantFor(other, signal);
    const given = new AbortController();
    const reason = new PortholeError("aborted", "cancelled");
    const second = key.grantFor(link, given.signal);
    given.abort(reason);
    await assert.rejects(second, reason);
    const third = key.grantFor(link, signal);
    release();
    await first;
    assert.equal(readGrant(await third, link).by.fingerprint, held.fingerprint);
    assert.equal(asked.length, 2);
  });

  it("renews what it uses when half is over, and tries again when the holder is away", async () => {
    const key = await open();
    const stop = new AbortController();
    const renewed: string[] = [];
    key.onRenewed((fingerprint) => renewed.push(fingerprint));
    await key.grantFor(link, signal);
    const keeping = key.keep(stop.signal);
    answer = () => Promise.reject(new PortholeError("signer", "locked"));
    await clock.advance(forMs / 2 + lookMs);
    assert.ok(asked.length >= 2);
    assert.deepEqual(renewed, []);
    const before = await key.grantFor(link, signal);
    answer = good;
    // The grant is written to a file, which takes turns that no clock counts.
    while (renewed.length === 0) {
      await clock.advance(lookMs);
      await turn();
    }
    assert.deepEqual(renewed, [link]);
    assert.notEqual(await key.grantFor(link, signal), before);
    stop.abort();
    await keeping;
  });

  it("needs no signature after a restart, unless what was kept is over or damaged", async () => {
    const grant = await (await open()).grantFor(link, signal);
    assert.equal(await (await open()).grantFor(link, signal), grant);
    assert.equal(asked.length, 1);
    const path = join(folder, `${held.clientId}.json`);
    const text = await readFile(path, "utf8");
    const foreign = text.replace(link, generateKey().fingerprint);
    for (const damaged of ["", "null", "[]", "5", "{", '{"a":1}', `{"${link}":"a.b.c"}`, foreign, text.slice(0, -9)]) {
      await writeFile(path, damaged);
      await (await open()).grantFor(link, signal);
    }
    assert.equal(asked.length, 10);
    await clock.advance(forMs);
    await (await open()).grantFor(link, signal);
    assert.equal(asked.length, 11);
  });

  it("leaves a holder alone that did not sign, longer each time, until it is there again", async () => {
    const key = await open();
    answer = () => Promise.reject(new PortholeError("signer", "no"));
    const refused = () => assert.rejects(key.grantFor(link, signal), { code: "signer" });
    for (const expected of [1, 1]) {
      await refused();
      assert.equal(asked.length, expected);
    }
    await clock.advance(pause.firstMs);
    await refused();
    await clock.advance(pause.firstMs);
    await refused();
    assert.equal(asked.length, 2);
    key.wake();
    answer = good;
    await key.grantFor(link, signal);
    assert.equal(asked.length, 3);
  });

  it("stops waiting after a minute, and is told when nobody waits any more", async () => {
    const key = await open();
    const ends: unknown[] = [];
    answer = (_request, within) => {
      within.addEventListener("abort", () => ends.push(PortholeError.from(within.reason).code));
      return new Promise(() => {});
    };
    const late = assert.rejects(key.grantFor(link, signal), { code: "timeout" });
    await clock.advance(signDeadlineMs);
    await late;
    key.wake();
    const [one, two] = [new AbortController(), new AbortController()];
    const both = [one, two].map((each) => assert.rejects(key.grantFor(link, each.signal)));
    await clock.advance(1);
    one.abort(new PortholeError("aborted", "one"));
    await clock.advance(1);
    assert.deepEqual(ends, ["timeout"]);
    two.abort(new PortholeError("aborted", "two"));
    await Promise.all(both);
    await clock.advance(1);
    assert.deepEqual(ends, ["timeout", "aborted"]);
    answer = good;
    await key.grantFor(link, signal);
  });
});
