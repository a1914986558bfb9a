import assert from "node:assert/strict";
import { clientIdOf, generateKey } from "@porthole/common/identity";
import { Secret } from "@porthole/common/util";
import { noEnrollments, pruned, quarantineMs, type Enrollments } from "./enrollments.ts";
import { isEnrolled, nextExpiry, revokeKey } from "./keys.ts";
import { addInvite, revokeInvite, useInvite } from "./invites.ts";
import { grantName, ownsName, releaseName, reserveName } from "./names.ts";
import { readEnrollments } from "./read-enrollments.ts";

const dayMs = 24 * 3_600_000;
const now = Date.UTC(2026, 10, 24);
const [one, two, three] = [generateKey(), generateKey(), generateKey()].map(({ fingerprint }) => fingerprint) as [
  string,
  string,
  string,
];

function invited(uses = 1): { readonly enrollments: Enrollments; readonly token: Secret } {
  return addInvite(noEnrollments, { uses, expiresAt: now + dayMs, label: "a laptop" }, now);
}

describe("an invite in the enrollments", () => {
  it("enrols the key that uses it, once", () => {
    const { enrollments, token } = invited();
    const joined = useInvite(enrollments, token, one, now + 1);
    assert.ok(isEnrolled(joined, one, now));
    assert.equal(joined.keys[one]?.label, "a laptop");
    assert.throws(() => useInvite(joined, token, two, now + 2), {
      code: "unauthorized",
      message: "the invite was used already",
    });
    assert.ok(!isEnrolled(enrollments, one, now), "the enrollments before is as it was");
  });

  it("costs a key that has joined nothing", () => {
    const { enrollments, token } = invited();
    const joined = useInvite(enrollments, token, one, now);
    assert.equal(useInvite(joined, token, one, now + 2 * dayMs), joined);
  });

  it("may be for several", () => {
    const { enrollments, token } = invited(2);
    const joined = useInvite(useInvite(enrollments, token, one, now), token, two, now);
    assert.ok(isEnrolled(joined, one, now) && isEnrolled(joined, two, now));
    assert.throws(() => useInvite(joined, token, three, now), { message: /used already/ });
  });

  it("has its time", () => {
    const { enrollments, token } = invited();
    assert.ok(isEnrolled(useInvite(enrollments, token, one, now + dayMs - 1), one, now));
    assert.throws(() => useInvite(enrollments, token, one, now + dayMs), {
      code: "unauthorized",
      message: "the invite has expired on 2026-11-25",
    });
  });

  it("says how long its keys are let in, and how many names they have", () => {
    const wishes = { uses: 2, expiresAt: now + dayMs, keyLastsMs: dayMs, maxNames: 1 };
    const { enrollments, token } = addInvite(noEnrollments, wishes, now);
    const joined = readEnrollments(JSON.parse(JSON.stringify(useInvite(enrollments, token, one, now))));
    const named = grantName(joined, "myapp", three, now, one);
    assert.throws(() => grantName(named, "more", one, now), { code: "name", message: /has 1 names already/ });
    assert.deepEqual([nextExpiry(named, now), nextExpiry(named, now + dayMs)], [now + dayMs, undefined]);
    assert.deepEqual([isEnrolled(named, one, now + dayMs - 1), isEnrolled(named, one, now + dayMs)], [true, false]);
    assert.throws(() => useInvite(named, token, one, now + dayMs), { message: "the key has expired on 2026-11-25" });
    const later = pruned(named, now + dayMs);
    assert.equal(later.keys[one]?.revokedAt, now + dayMs);
    assert.equal(later.names["myapp"]?.releasedAt, now + dayMs);

    const again = addInvite(later, { uses: 1, expiresAt: now + 3 * dayMs, maxNames: 0 }, now + dayMs);
    const back = useInvite(again.enrollments, again.token, one, now + dayMs);
    assert.ok(isEnrolled(back, one, now + 100 * dayMs));
    assert.throws(() => grantName(back, "more", one, now), { code: "name", message: /no friendly names/ });
    const reserved = reserveName(back, "shop", one, now);
    assert.ok(ownsName(grantName(reserved, "shop", one, now), "shop", one));
  });

  it("can be taken back", () => {
    const { enrollments, token } = invited();
    const [id = ""] = Object.keys(enrollments.invites);
    assert.throws(() => useInvite(revokeInvite(enrollments, id), token, one, now), {
      message: /does not know the invite/,
    });
    assert.throws(() => revokeInvite(enrollments, "nonsense"), { code: "usage" });
  });

  it("can't be guessed, and a guess tells nothing", () => {
    const { enrollments, token } = invited();
    const [id = "", secret = ""] = token.reveal().split(".");
    const expired = { ...enrollments, invites: { [id]: { ...enrollments.invites[id], expiresAt: 0 } } } as Enrollments;
    for (const guess of [`${id}.guess`, id, `${id}.`, `.${secret}`, `xxxxxxxxxx.${secret}`, "", "__proto__.x"]) {
      for (const each of [enrollments, expired])
        assert.throws(() => useInvite(each, new Secret(guess), one, now), {
          code: "unauthorized",
          message: "this relay does not know the invite",
        });
    }
  });

  it("does not have its token in it", () => {
    const { enrollments, token } = invited();
    const [id = "", secret = ""] = token.reveal().split(".");
    const text = JSON.stringify(enrollments);
    assert.ok(text.includes(id) && !text.includes(secret));
  });
});

describe("a revoked key", () => {
  const { enrollments, token } = invited(5);
  const joined = grantName(useInvite(useInvite(enrollments, token, one, now), token, two, now), "myapp", one, now);

  it("is let in no more, by client id or fingerprint, and its names are released", () => {
    for (const id of [one, clientIdOf(one)]) {
      const revoked = revokeKey(joined, id, now + 1);
      assert.deepEqual([isEnrolled(revoked, one, now), isEnrolled(revoked, two, now)], [false, true]);
      assert.ok(!ownsName(revoked, "myapp", one));
      assert.throws(() => revokeKey(revoked, id, now), { code: "usage" });
    }
    assert.throws(() => revokeKey(joined, three, now), { code: "usage", hint: /authorized-keys/ });
  });

  it("takes along the names of the keys that it vouched for", () => {
    const vouched = grantName(joined, "other", three, now, one);
    const revoked = revokeKey(vouched, one, now + 1);
    assert.deepEqual([ownsName(vouched, "other", three), ownsName(revoked, "other", three)], [true, false]);
    assert.ok(ownsName(revokeKey(vouched, two, now + 1), "other", three));
  });

  it("does not come back by the same invite, but by a new one", () => {
    const revoked = revokeKey(joined, one, now + 1);
    assert.throws(() => useInvite(revoked, token, one, now + 2), {
      code: "unauthorized",
      message: "the key was revoked",
    });
    const again = addInvite(revoked, { uses: 1, expiresAt: now + dayMs }, now);
    const back = useInvite(again.enrollments, again.token, one, now + 3);
    assert.ok(isEnrolled(back, one, now));
    // Revoked once more, also the first invite stays used.
    const gone = revokeKey(back, one, now + 4);
    for (const each of [token, again.token])
      assert.throws(() => useInvite(gone, each, one, now + 5), {
        code: "unauthorized",
        message: "the key was revoked",
      });
  });
});

describe("a friendly name", () => {
  const mine = grantName(noEnrollments, "myapp", one, now);

  it("can be reserved for a key and those that it vouches for", () => {
    const reserved = readEnrollments(JSON.parse(JSON.stringify(reserveName(noEnrollments, "shop", one, now))));
    assert.throws(() => grantName(reserved, "shop", two, now), { code: "name", message: /belongs to another key/ });
    assert.throws(() => reserveName(mine, "myapp", two, now), { code: "usage", message: /belongs to a key already/ });
    assert.throws(() => reserveName(mine, "wpad", two, now), { code: "usage" });
    const claimed = grantName(reserved, "shop", three, now, one);
    assert.ok(ownsName(claimed, "shop", three));
    assert.throws(() => grantName(claimed, "shop", one, now), { code: "name" }, "it is taken now");
    const released = releaseName(reserved, "shop", now);
    assert.throws(() => grantName(released, "shop", three, now, one), {
      code: "name",
      message: /reserved for its last owner/,
    });
    assert.ok(ownsName(grantName(reserveName(released, "shop", two, now), "shop", two, now), "shop", two));
  });

  it("belongs to one key", () => {
    assert.ok(ownsName(mine, "myapp", one));
    assert.equal(grantName(mine, "myapp", one, now + 1), mine);
    assert.throws(() => grantName(mine, "myapp", two, now), { code: "name", message: /belongs to another key/ });
  });

  it("is reserved for its last owner for 30 days after its release", () => {
    const free = releaseName(mine, "myapp", now);
    assert.ok(!ownsName(free, "myapp", one));
    assert.throws(() => grantName(free, "myapp", two, now + quarantineMs - 1), {
      code: "name",
      message: "the name myapp is reserved for its last owner until 2026-12-24",
    });
    assert.ok(ownsName(grantName(free, "myapp", one, now + 1), "myapp", one));
    assert.ok(ownsName(grantName(free, "myapp", two, now + quarantineMs), "myapp", two));
    assert.throws(() => releaseName(free, "myapp", now), { code: "usage" });
  });

  it("is one of ten at most", () => {
    let enrollments = noEnrollments;
    for (let i = 0; i < 10; i++) enrollments = grantName(enrollments, `app${i}`, one, now);
    assert.throws(() => grantName(enrollments, "more", one, now), { code: "name", message: /10 names already/ });
    enrollments = grantName(releaseName(enrollments, "app0", now), "more", one, now);
    assert.ok(ownsName(enrollments, "more", one));
  });

  it("is not one that programs look for by themselves", () => {
    for (const name of ["wpad", "autodiscover"])
      assert.throws(() => grantName(noEnrollments, name, one, now), { code: "name", message: /by themselves/ });
  });

  it("may be called like a property of every object", () => {
    assert.ok(!ownsName(noEnrollments, "constructor", one));
    assert.ok(ownsName(grantName(noEnrollments, "constructor", one, now), "constructor", one));
  });
});

describe("the enrollments", () => {
  it("forgets what nobody needs to know any more", () => {
    const { enrollments, token } = invited(2);
    const joined = revokeKey(useInvite(useInvite(enrollments, token, one, now), token, two, now), one, now);
    const named = releaseName(grantName(grantName(joined, "kept", two, now), "gone", two, now), "gone", now);
    const later = pruned(named, now + dayMs + 30 * dayMs);
    assert.deepEqual(Object.keys(later.invites), []);
    assert.deepEqual(Object.keys(later.keys), [two]);
    assert.deepEqual(Object.keys(later.names), ["kept"]);
    const before = pruned(named, now + 29 * dayMs);
    assert.deepEqual([Object.keys(before.invites).length, Object.keys(before.keys).length], [1, 2]);
  });

  it("survives being written", () => {
    const { enrollments, token } = invited();
    const full = releaseName(grantName(useInvite(enrollments, token, one, now), "myapp", one, now), "myapp", now);
    const text = JSON.stringify(full);
    assert.equal(JSON.stringify(readEnrollments(JSON.parse(text))), text);
  });

  it("is read without what a newer program has put in", () => {
    const known = { invites: {}, keys: { a: { enrolledAt: 1, invite: "i" } }, names: {}, bans: {} };
    const newer = { ...known, later: [], keys: { a: { ...known.keys.a, later: true } } };
    assert.equal(JSON.stringify(readEnrollments(newer)), JSON.stringify(known));
  });

  const damages: readonly [unknown, RegExp][] = [
    [[], /it is not an object/],
    [{}, /invites is not an object/],
    [{ invites: {}, keys: { a: null }, names: {} }, /keys\.a is not an object/],
    [{ invites: { a: { hash: 1 } }, keys: {}, names: {} }, /invites\.a\.hash is not a text/],
    [{ invites: {}, keys: {}, names: { a: { fingerprint: "x", grantedAt: -1 } } }, /names\.a\.grantedAt is not/],
  ];
  for (const [value, message] of damages) {
    it(`says what is wrong with ${JSON.stringify(value)}`, () =>
      assert.throws(() => readEnrollments(value), { code: "state", message }));
  }
});
