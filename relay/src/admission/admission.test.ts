import assert from "node:assert/strict";
import { once, EventEmitter } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { generateKey, type IdentityKey } from "@porthole/common/identity";
import { silentLogger } from "@porthole/common/log";
import { until } from "@porthole/testing";
import { systemClock, type Secret } from "@porthole/common/util";
import { Admission, type AdmissionConfig } from "./admission.ts";
import type { AdmissionRequest, Authorize } from "./admission-request.ts";
import { addBan } from "./bans.ts";
import { EnrollmentFile } from "./enrollment-file.ts";
import type { Enrollments } from "./enrollments.ts";
import { revokeKey } from "./keys.ts";
import { addInvite } from "./invites.ts";
import { releaseName } from "./names.ts";

const [one, two, owner] = [generateKey(), generateKey(), generateKey()];
const { signal } = new AbortController();
const context = { clock: systemClock, log: silentLogger };

function requestOf(key: IdentityKey, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const { kind, spki, fingerprint, clientId } = key;
  const peer = { kind, spki, fingerprint, clientId, extension: undefined };
  return { peer, address: "127.0.0.1", suffix: "t.example.com", ...more };
}

describe("admission", () => {
  let folder: string;
  let changes = 0;
  let refusals: [string, PortholeError][];
  let happened: unknown[];
  let admission: Admission | undefined;

  beforeEach(async () => {
    refusals = [];
    happened = [];
    changes = 0;
    folder = await mkdtemp(join(tmpdir(), "porthole-admission-"));
  });
  afterEach(async () => {
    await admission?.close();
    admission = undefined;
    await rm(folder, { recursive: true });
  });

  async function open(config: Partial<AdmissionConfig> = {}, authorize?: Authorize): Promise<Admission> {
    const all = { open: false, givesNames: true, reservedNames: ["relay"], stateDir: folder, ...config };
    admission = await Admission.open(
      all,
      { ...context, authorize },
      {
        onChange: () => (changes += 1),
        onRefusal: (...refusal) => refusals.push(refusal),
        onJoin: (...joined) => happened.push(joined),
        onBan: (...banned) => happened.push(banned),
      },
    );
    return admission;
  }

  /** As a command does it, beside the running relay. */
  async function change<T>(edit: (enrollments: Enrollments) => { readonly enrollments: Enrollments } & T): Promise<T> {
    const file = await EnrollmentFile.open(join(folder, "admission.json"), context);
    let result: T | undefined;
    await file.update((enrollments) => {
      const edited = edit(enrollments);
      result = edited;
      return edited.enrollments;
    }, signal);
    return result as T;
  }

  /** The relay is notified by its file system of what a command has changed. */
  const objects = (revocationReason: () => PortholeError | undefined, code: string): Promise<void> =>
    until(() => revocationReason()?.code === code, `there was an revocationReason: ${code}`);

  const invite = (uses = 1): Promise<{ readonly token: Secret }> =>
    change((enrollments) => addInvite(enrollments, { uses, expiresAt: Date.now() + 60_000 }, Date.now()));

  it("keeps out banned keys whatever the lists say, and ends their links", async () => {
    const relay = await open({ open: true });
    const { revocationReason } = await relay.admit(requestOf(one), signal);
    assert.equal(revocationReason(), undefined);
    await change((enrollments) => ({
      enrollments: addBan(enrollments, one.clientId, systemClock.now(), undefined),
    }));
    await objects(revocationReason, "unauthorized");
    await until(() => happened.length > 0, "the ban was told");
    await assert.rejects(relay.admit(requestOf(one), signal), { code: "unauthorized", message: /this key is banned/ });
    assert.deepEqual(happened, [[one.clientId, undefined]]);
    await relay.admit(requestOf(two), signal);
  });

  it("lets a key in for as long as its invite said, and ends its links then", async () => {
    const relay = await open();
    const wishes = { uses: 1, expiresAt: Date.now() + 60_000, keyLastsMs: 400 };
    const { token } = await change((enrollments) => addInvite(enrollments, wishes, Date.now()));
    const { revocationReason } = await relay.admit(requestOf(one, { token }), signal);
    assert.equal(revocationReason(), undefined);
    const before = changes;
    await until(() => changes > before && revocationReason() !== undefined, "the end was told");
    assert.equal(revocationReason()?.code, "unauthorized");
    await assert.rejects(relay.admit(requestOf(one), signal), { code: "unauthorized" });
  });

  it("lets everyone in where the relay is open", async () => {
    const { admit } = bound(await open({ open: true }));
    const { hostname, revocationReason } = await admit(requestOf(one));
    assert.equal(hostname, `${one.clientId}.t.example.com`);
    assert.equal(revocationReason(), undefined);
  });

  it("lets nobody in by default, and knows that", async () => {
    const closed = await open();
    assert.ok(closed.isEmpty);
    await assert.rejects(closed.admit(requestOf(one), signal), {
      code: "unauthorized",
      message: `this relay does not know the client id ${one.clientId}`,
      hint: "Ask the relay's operator for an invite.",
    });
  });

  it("by an invite that was made while it ran, for good", async () => {
    const { admit } = bound(await open());
    const { token } = await invite();
    await admit(requestOf(one, { token }));
    await admit(requestOf(one));
    assert.deepEqual(happened, [[one.clientId, undefined, "127.0.0.1"]]);
    await assert.rejects(admit(requestOf(two, { token })), { code: "unauthorized", message: /used already/ });
    await admission?.close();
    await bound(await open()).admit(requestOf(one));
  });

  it("by an invite that was made before it ran, and never by its token's text in the file", async () => {
    const { token } = await invite();
    const { admit } = bound(await open());
    assert.ok(!(await readFile(join(folder, "admission.json"), "utf8")).includes(token.reveal().slice(11)));
    await admit(requestOf(one, { token }));
  });

  it("one of two who come with the same token at once", async () => {
    const { admit } = bound(await open());
    const { token } = await invite();
    const results = await Promise.allSettled([one, two, owner].map((key) => admit(requestOf(key, { token }))));
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected"]);
  });

  it("all links of one client that come with the same token at once", async () => {
    const { admit } = bound(await open());
    const { token } = await invite();
    await Promise.all(Array.from({ length: 5 }, () => admit(requestOf(one, { token }))));
  });

  it("keys that an owner vouches for, with the owner's one invite", async () => {
    const { admit } = bound(await open());
    const { token } = await invite();
    await admit(requestOf(one, { owner, token }));
    const { revocationReason } = await admit(requestOf(two, { owner }));
    await assert.rejects(admit(requestOf(one)), { code: "unauthorized" });
    await change((enrollments) => ({ enrollments: revokeKey(enrollments, owner.clientId, Date.now()) }));
    await objects(revocationReason, "unauthorized");
  });

  it("until the key is revoked", async () => {
    const { admit } = bound(await open());
    const { token } = await invite(5);
    const { revocationReason } = await admit(requestOf(one, { token }));
    assert.equal(revocationReason(), undefined);
    await change((enrollments) => ({ enrollments: revokeKey(enrollments, one.clientId, Date.now()) }));
    await objects(revocationReason, "unauthorized");
    assert.ok(changes > 0, "the relay was told");
    await assert.rejects(admit(requestOf(one, { token })), { code: "unauthorized", message: "the key was revoked" });
  });

  it("those of the file of keys, too", async () => {
    const keysPath = join(folder, "keys.txt");
    await writeFile(keysPath, `${one.clientId}\n`);
    const { admit } = bound(await open({ keysPath }));
    const { revocationReason } = await admit(requestOf(one));
    await assert.rejects(admit(requestOf(two)), { code: "unauthorized" });
    await writeFile(keysPath, `${two.clientId}\n`);
    await objects(revocationReason, "unauthorized");
    await admit(requestOf(two));
  });

  it("asks the callback about keys that no list knows, and about no others", async () => {
    const asked: string[] = [];
    const { admit } = bound(
      await open({ open: true }, async ({ peer }) => {
        asked.push(peer.clientId);
        if (peer.clientId !== two.clientId) throw new PortholeError("unauthorized", "not you");
      }),
    );
    const { token } = await invite();
    await admit(requestOf(one, { token }));
    await admit(requestOf(two));
    await admit(requestOf(two, { token }));
    await assert.rejects(admit(requestOf(owner)), { code: "unauthorized", message: "not you" });
    assert.deepEqual(asked, [two.clientId, two.clientId, owner.clientId]);
  });

  it("tells of a later no, but not of one who could not be asked or who was not", async () => {
    let answer: Error | undefined;
    const { admit } = bound(await open({}, () => (answer ? Promise.reject(answer) : Promise.resolve())));
    assert.equal((await admit(requestOf(one))).isExternallyAuthorized, true);
    for (const code of ["busy", "unreachable"] as const) {
      answer = new PortholeError(code, "later");
      await assert.rejects(admit(requestOf(one)));
    }
    assert.deepEqual(refusals, []);
    answer = new PortholeError("unauthorized", "Your plan has ended.");
    await assert.rejects(admit(requestOf(one)), answer);
    assert.deepEqual(refusals, [[one.fingerprint, answer]]);
    const { token } = await invite();
    assert.equal((await admit(requestOf(two, { token }))).isExternallyAuthorized, false);
    assert.equal(refusals.length, 1);
  });

  it("nobody when the callback breaks, without telling why", async () => {
    const { admit } = bound(await open({}, () => Promise.reject(new TypeError("secret.database is undefined"))));
    await assert.rejects(admit(requestOf(one)), (error: PortholeError) => {
      assert.equal(error.code, "unauthorized");
      assert.ok(!error.message.includes("secret"));
      assert.ok(error.retryAfterMs);
      return true;
    });
  });

  it("nobody by an invite while the enrollments is out of reach", async () => {
    const { admit } = bound(await open());
    const { token } = await invite();
    const [path, aside] = [join(folder, "admission.json"), join(folder, "aside")];
    await rename(path, aside);
    await mkdir(path);
    await assert.rejects(admit(requestOf(one, { token })), { code: "unauthorized", message: /can't decide/ });
    await rmdir(path);
    await rename(aside, path);
    await admit(requestOf(one, { token }));
  });

  it("gives a name to the first who wants it, until it is taken back", async () => {
    const { admit } = bound(await open({ open: true }));
    const { hostname, revocationReason } = await admit(requestOf(one, { name: "MyApp" }));
    assert.equal(hostname, "myapp.t.example.com");
    await assert.rejects(admit(requestOf(two, { name: "myapp" })), { code: "name", message: /belongs to another key/ });
    assert.equal(revocationReason(), undefined);
    await change((enrollments) => ({ enrollments: releaseName(enrollments, "myapp", Date.now()) }));
    await objects(revocationReason, "name");
    await assert.rejects(admit(requestOf(two, { name: "myapp" })), {
      code: "name",
      message: /reserved for its last owner until/,
    });
    assert.equal((await admit(requestOf(one, { name: "myapp" }))).hostname, "myapp.t.example.com");
  });

  for (const name of ["relay", "a.b", "xn--a", one.clientId, two.clientId]) {
    it(`does not give the name ${name}`, async () => {
      const { admit } = bound(await open({ open: true }));
      await assert.rejects(admit(requestOf(one, { name })), { code: "name", message: /can't be a client's name/ });
    });
  }

  it("gives ten names to one who joined, however many keys vouched for ask for them", async () => {
    const { admit } = bound(await open());
    const { token } = await invite();
    await admit(requestOf(owner, { token }));
    const vouched = { fingerprint: owner.fingerprint, clientId: owner.clientId };
    for (let i = 0; i < 10; i++) await admit(requestOf(generateKey(), { owner: vouched, name: `app${i}` }));
    const eleventh = requestOf(generateKey(), { owner: vouched, name: "more" });
    await assert.rejects(admit(eleventh), { code: "name", message: /10 names already/ });
    // Who is known by its own key gains nothing by a delegation of somebody else's.
    const again = requestOf(owner, { owner: { fingerprint: one.fingerprint, clientId: one.clientId }, name: "more" });
    await assert.rejects(admit(again), { code: "name", message: /10 names already/ });
  });

  it("counts the names of a key together with those of who vouches for it, also where a program decides", async () => {
    const { admit } = bound(await open({}, async () => {}));
    const vouched = { fingerprint: owner.fingerprint, clientId: owner.clientId };
    for (let i = 0; i < 10; i++) await admit(requestOf(generateKey(), { owner: vouched, name: `app${i}` }));
    const eleventh = requestOf(generateKey(), { owner: vouched, name: "app10" });
    await assert.rejects(admit(eleventh), { code: "name", message: /10 names already/ });
    await admit(requestOf(generateKey(), { name: "app10" }));
  });

  it("names a client's owner: the key that joined, or the one that vouches where a program decides", async () => {
    const { admit } = bound(await open({}, async () => {}));
    const { token } = await invite();
    await admit(requestOf(owner, { token }));
    const delegationOf = ({ fingerprint, clientId }: IdentityKey) => ({ owner: { fingerprint, clientId } });
    for (const [request, expected] of [
      [requestOf(owner), owner],
      [requestOf(one, delegationOf(owner)), owner],
      [requestOf(one, { ...delegationOf(owner), name: "named" }), owner],
      // A delegation of somebody else's makes nobody else of it.
      [requestOf(owner, delegationOf(one)), owner],
      [requestOf(one), one],
      [requestOf(one, delegationOf(two)), two],
    ] as const)
      assert.equal((await admit(request)).owner, expected.fingerprint);
  });

  it("gives no names where it must not", async () => {
    const { admit } = bound(await open({ open: true, givesNames: false }));
    await assert.rejects(admit(requestOf(one, { name: "myapp" })), { code: "name" });
  });

  it("is not opened with a damaged enrollments, and keeps what it knew when the enrollments is damaged later", async () => {
    const path = join(folder, "admission.json");
    await writeFile(path, "{");
    await assert.rejects(open(), { code: "state", message: /admission\.json is damaged/ });
    await rm(path);
    const { token } = await invite();
    const errors = new EventEmitter();
    admission = await Admission.open(
      { open: false, givesNames: true, reservedNames: [], stateDir: folder },
      { ...context, log: { ...silentLogger, error: (_fields, message) => void errors.emit("logged", message) } },
      { onChange() {}, onRefusal() {}, onJoin() {}, onBan() {} },
    );
    await admission.admit(requestOf(one, { token }), signal);
    const logged = once(errors, "logged");
    await writeFile(path, "[]");
    assert.match(String((await logged)[0]), /admission\.json.*what was known before stays in force/);
    await admission.admit(requestOf(one), signal);
  });
});

function bound(admission: Admission) {
  return { admit: (request: AdmissionRequest) => admission.admit(request, signal) };
}
