import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { PortholeError } from "../../errors.ts";
import { createCertificate, generateKey, parseKey, type IdentityKey } from "../../identity/index.ts";
import { silentLogger } from "../../log.ts";
import { sized } from "@porthole/testing/size";
import { FakeClock } from "@porthole/testing/fake-clock";
import { TestAuthority } from "@porthole/testing/test-authority";
import type { RenewalWindow } from "../order/ari.ts";
import type { CertificateState, ServedCertificate } from "./certificate-state.ts";
import { parseChain } from "../order/chain.ts";
import type { CertificateIssuer, IssueRequest } from "../order/issuer.ts";
import { CertificateKeeper, type KeeperOptions } from "./certificate-keeper.ts";
import { AcmeProblem, validationError } from "../wire/problem.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import type { CertificateStore } from "./store.ts";

const name = "abc.tunnel.test";
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const manyDays = sized(400, 1_100);

/** One file in memory, with a real file's text. */
class MemoryStore implements CertificateStore {
  text: string | undefined;
  isFull = false;
  isUnreadable = false;
  #last: Promise<void> = Promise.resolve();

  async read() {
    if (this.isUnreadable) throw new PortholeError("state", "Can't read the file: no permission");
    return this.text === undefined ? { record: undefined } : decodeRecord(this.text, "cert.pem");
  }

  async write(record: Parameters<CertificateStore["write"]>[0]) {
    if (this.isFull) throw new PortholeError("state", "Can't write the file: the disk is full");
    this.text = encodeRecord(record);
  }

  async lock() {
    if (this.isFull) throw new PortholeError("state", "Can't write the file: the disk is full");
    const before = this.#last;
    let release = (): void => {};
    this.#last = new Promise((resolve) => (release = resolve));
    await before;
    return { signal: new AbortController().signal, release: async () => release() };
  }
}

class FakeIssuer implements CertificateIssuer {
  readonly directoryUrl: string = "https://ca.test/directory";
  readonly orders: (IssueRequest & { readonly at: number })[] = [];
  lifetimeMs = 90 * dayMs;
  error: PortholeError | undefined;
  window: ((notBefore: number) => RenewalWindow) | undefined;
  windowQuestions = 0;
  hangs = false;
  readonly #clock: FakeClock;
  readonly #authority: TestAuthority;

  constructor(clock: FakeClock, directoryUrl?: string) {
    this.#clock = clock;
    this.#authority = new TestAuthority({ now: clock.now() });
    if (directoryUrl !== undefined) this.directoryUrl = directoryUrl;
  }

  async issue(request: IssueRequest, signal: AbortSignal) {
    this.orders.push({ ...request, at: this.#clock.now() });
    if (this.hangs)
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    if (this.error) throw this.error;
    return parseChain(this.issued(request.key), "It");
  }

  issued({ spki }: IdentityKey, notBefore = this.#clock.now()): string {
    return this.#authority.issue({ dnsName: name, spki, notBefore, notAfter: notBefore + this.lifetimeMs });
  }

  async renewalWindow(chain: { readonly notBefore: number }) {
    this.windowQuestions++;
    return { window: this.window?.(chain.notBefore), retryAfterMs: undefined };
  }
}

describe("CertificateKeeper", () => {
  let clock: FakeClock;
  let store: MemoryStore;
  let issuer: FakeIssuer;
  let key: IdentityKey;
  let served: ServedCertificate[];
  let states: CertificateState[];
  let stop: AbortController;
  let running: Promise<void>[];

  beforeEach(() => {
    clock = new FakeClock();
    store = new MemoryStore();
    issuer = new FakeIssuer(clock);
    key = generateKey();
    served = [];
    states = [];
    stop = new AbortController();
    running = [];
  });
  afterEach(async () => {
    await end();
    assert.equal(clock.pending, 0);
  });

  function start(more: Partial<KeeperOptions> = {}): CertificateKeeper {
    const keeper = new CertificateKeeper({
      name,
      issuer,
      store,
      key,
      clock,
      log: silentLogger,
      random: () => 0,
      onCertificate: (certificate) => served.push(certificate),
      onState: (state) => states.push(state),
      ...more,
    });
    running.push(keeper.run(stop.signal));
    return keeper;
  }

  async function end(): Promise<void> {
    stop.abort();
    await Promise.all(running);
    stop = new AbortController();
  }

  async function restart(more: Partial<KeeperOptions> = {}): Promise<CertificateKeeper> {
    await end();
    return start(more);
  }

  const invalid = (): PortholeError => validationError(name, new AcmeProblem("connection", 0, "no"));
  const failedAt = (index: number): number => ((issuer.orders[index]?.at ?? NaN) - clock.now()) / minuteMs;

  it("orders, serves, and says how it stands", async () => {
    const keeper = start();
    await clock.advance(5_000);
    assert.equal(served.length, 1);
    assert.equal(served[0]?.key, key);
    const notAfter = clock.now() - 5_000 + 90 * dayMs;
    assert.deepEqual(states, [
      { status: "pending", phase: "waiting" },
      { status: "pending", phase: "ordering" },
      { status: "valid", notAfter, renewAt: notAfter - 30 * dayMs },
    ]);
    assert.equal(keeper.state.status, "valid");
  });

  it(`${manyDays} days: always a valid certificate, and no order too many`, async () => {
    start({ random: Math.random });
    for (let day = 0; day < manyDays; day += 10) {
      await clock.advance(10 * dayMs);
      const latest = served.at(-1);
      assert.ok(latest && latest.notAfter - clock.now() > 19 * dayMs);
    }
    // The first, and one every 60 days.
    const expected = 1 + manyDays / 60;
    assert.ok(Math.abs(issuer.orders.length - expected) < 1.5, String(issuer.orders.length));
    assert.equal(issuer.orders[1]?.replaces?.pem, served[0]?.chainPem);
  });

  it("--acme-renew-days holds for long lives", async () => {
    issuer.lifetimeMs = 200 * dayMs;
    start({ renewDays: 30 });
    await clock.advance(169 * dayMs);
    assert.equal(issuer.orders.length, 1);
    await clock.advance(2 * dayMs);
    assert.equal(issuer.orders.length, 2);
  });

  it("the authority's window decides, also when it moves to today", async () => {
    issuer.window = (notBefore) => ({ start: notBefore + 80 * dayMs, end: notBefore + 81 * dayMs });
    start();
    await clock.advance(70 * dayMs);
    assert.equal(issuer.orders.length, 1);
    issuer.window = (notBefore) => ({ start: notBefore + 5 * dayMs, end: notBefore + 6 * dayMs });
    await clock.advance(dayMs);
    assert.equal(issuer.orders.length, 2);
    assert.ok(issuer.windowQuestions >= 4 * 70 && issuer.windowQuestions < 4 * 75, String(issuer.windowQuestions));
    // One that is always past must not make us order indefinitely.
    issuer.window = () => ({ start: 0, end: 1 });
    await clock.advance(dayMs);
    assert.ok(issuer.orders.length <= 2 + 4, String(issuer.orders.length));
  });

  it("after a restart nothing is ordered and nobody is asked", async () => {
    start();
    await clock.advance(minuteMs);
    const before = issuer.windowQuestions;
    for (let round = 0; round < 5; round++) {
      await restart();
      await clock.advance(minuteMs);
    }
    assert.equal(issuer.orders.length, 1);
    assert.equal(issuer.windowQuestions, before);
    assert.equal(served.length, 6);
    assert.equal(new Set(served.map(({ chainPem }) => chainPem)).size, 1);
  });

  it("without a key of the user's, each certificate has its own, kept with it", async () => {
    const own = { key: undefined };
    start(own);
    await clock.advance(minuteMs);
    await restart(own);
    await clock.advance(61 * dayMs);
    const prints = served.map((each) => each.key.fingerprint);
    assert.equal(prints.length, 3);
    assert.equal(prints[0], prints[1]);
    assert.notEqual(prints[1], prints[2]);
  });

  it("a failed renewal never takes the certificate away, and pauses as the table says", async () => {
    start();
    await clock.advance(59 * dayMs);
    issuer.error = new PortholeError("unreachable", "the authority can't be reached");
    await clock.advance(dayMs + hourMs);
    assert.equal(served.length, 1);
    const state = states.at(-1);
    assert.ok(state?.status === "failed" && state.error.code === "unreachable");
    assert.ok((state.notAfter ?? 0) > clock.now() && (state.nextAttemptAt ?? 0) > clock.now());
    const pauses = issuer.orders
      .slice(1)
      .map(({ at }, index, all) => (index === 0 ? 0 : at - (all[index - 1]?.at ?? 0)));
    assert.deepEqual(
      pauses.slice(1, 6).map((pause) => Math.round(pause / minuteMs)),
      [1, 2, 2, 5, 10],
    );
    await clock.advance(10 * dayMs);
    issuer.error = undefined;
    await clock.advance(7 * hourMs);
    assert.equal(served.length, 2);
    assert.equal(states.at(-1)?.status, "valid");
  });

  it("no more than five failed validations in any hour, restarts and the user's impatience included", async () => {
    issuer.error = invalid();
    let keeper = start();
    for (let round = 0; round < 200; round++) {
      await clock.advance(3 * minuteMs);
      if (round % 3 === 0) keeper = await restart();
      keeper.retryNow();
    }
    const times = issuer.orders.map(({ at }) => at);
    for (const [index, at] of times.entries()) {
      const later = times.slice(index).filter((each) => each < at + hourMs).length;
      assert.ok(later <= 5, `${later} in the hour after ${new Date(at).toISOString()}`);
    }
    assert.ok(issuer.orders.slice(1).every(({ stagingFirst }) => stagingFirst));
  });

  it("Retry-After is kept to, also after a restart and when the user wants to continue", async () => {
    issuer.error = new PortholeError("busy", "too many", { retryAfterMs: 40 * hourMs });
    start();
    await clock.advance(hourMs);
    const keeper = await restart();
    keeper.retryNow();
    await clock.advance(38 * hourMs);
    assert.equal(issuer.orders.length, 1);
    assert.ok(keeper.state.status === "failed" && keeper.state.nextAttemptAt !== undefined);
    await clock.advance(2 * hourMs);
    assert.equal(issuer.orders.length, 2);
  });

  it("what only the user can change is not tried again by itself", async () => {
    issuer.error = new PortholeError("usage", "The authority wants an e-mail address", { hint: "Give one" });
    const keeper = start();
    await clock.advance(30 * dayMs);
    assert.equal(issuer.orders.length, 1);
    assert.ok(keeper.state.status === "failed" && keeper.state.nextAttemptAt === undefined);
    issuer.error = undefined;
    await restart();
    await clock.advance(minuteMs);
    assert.equal(served.length, 1);
  });

  it("a key that no authority certifies is said, and nothing is ordered", async () => {
    const ed25519 = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const keeper = start({ key: parseKey(ed25519, "test") });
    await clock.advance(dayMs);
    assert.equal(issuer.orders.length, 0);
    assert.ok(keeper.state.status === "failed" && keeper.state.error.code === "key");
  });

  it("a program that dies in each order does not order more often", async () => {
    issuer.hangs = true;
    start();
    for (let round = 0; round < 120; round++) {
      await clock.advance(30_000);
      await restart();
    }
    assert.ok(issuer.orders.length <= 6, String(issuer.orders.length));
  });

  it("retryNow skips a pause", async () => {
    issuer.error = new PortholeError("unreachable", "no");
    const keeper = start();
    await clock.advance(12 * hourMs);
    issuer.error = undefined;
    keeper.retryNow();
    await clock.advance(5_000);
    assert.equal(served.length, 1);
  });

  it("runs once, and the same name is ordered by one keeper at a time", async () => {
    const keeper = start();
    await assert.rejects(keeper.run(stop.signal), { code: "internal" });
    start();
    start();
    await clock.advance(minuteMs);
    assert.equal(issuer.orders.length, 1);
    assert.equal(served.length, 3);
  });

  it("waits for the way to be open; why it is not costs no order", async () => {
    let error: PortholeError | undefined = new PortholeError("unreachable", "Port 443 is closed");
    const keeper = start({
      whenReachable: async () => {
        if (error) throw error;
      },
    });
    await clock.advance(5 * hourMs);
    assert.equal(issuer.orders.length, 0);
    assert.ok(keeper.state.status === "failed" && keeper.state.error.message === "Port 443 is closed");
    assert.ok((keeper.state.nextAttemptAt ?? Infinity) <= clock.now() + 10 * minuteMs);
    error = undefined;
    await clock.advance(11 * minuteMs);
    assert.equal(served.length, 1);
  });

  it("asks for a quota, and comes back when there is one", async () => {
    const asked: boolean[] = [];
    let error: PortholeError | undefined = new PortholeError("busy", "weekly limit", { retryAfterMs: 5 * hourMs });
    const keeper = start({
      quota: async ({ isRenewal }) => {
        asked.push(isRenewal);
        if (error) throw error;
      },
    });
    await clock.advance(hourMs);
    assert.equal(issuer.orders.length, 0);
    assert.equal(keeper.state.status === "failed" && keeper.state.nextAttemptAt, clock.now() + 4 * hourMs);
    error = undefined;
    await clock.advance(61 * dayMs);
    assert.deepEqual(asked, [false, false, true]);
  });

  describe("its state", () => {
    it("damaged: says so, orders once, and is whole again", async () => {
      start();
      await clock.advance(minuteMs);
      const whole = store.text ?? "";
      for (const damage of [
        "",
        "\0".repeat(500),
        whole.slice(0, whole.length / 2),
        whole.replace(/\nM/, "\nA"),
        "{}",
      ]) {
        store.text = damage;
        const before = issuer.orders.length;
        for (let round = 0; round < 3; round++) {
          await restart();
          await clock.advance(minuteMs);
        }
        assert.equal(issuer.orders.length, before + 1, JSON.stringify(damage.slice(0, 40)));
      }
    });

    it("damaged only in what is known about it: the certificate keeps serving", async () => {
      start();
      await clock.advance(minuteMs);
      store.text = store.text?.replace('"version"', "???");
      await restart();
      await clock.advance(minuteMs);
      assert.equal(issuer.orders.length, 1);
      assert.equal(served.length, 2);
    });

    it("not readable: nothing is ordered, for there may be a good certificate in it", async () => {
      start();
      await clock.advance(59 * dayMs);
      store.isUnreadable = true;
      await restart();
      await clock.advance(2 * dayMs);
      assert.equal(issuer.orders.length, 1);
      assert.ok(states.at(-1)?.status === "failed");
      store.isUnreadable = false;
      await clock.advance(2 * minuteMs);
      assert.equal(served.length, 3, "the old one, then a new one");
    });

    it("disk full before the order: nothing is ordered", async () => {
      store.isFull = true;
      const keeper = start();
      await clock.advance(dayMs);
      assert.equal(issuer.orders.length, 0);
      assert.ok(keeper.state.status === "failed" && /disk is full/.test(keeper.state.error.message));
      store.isFull = false;
      await clock.advance(7 * hourMs);
      assert.equal(issuer.orders.length, 1);
    });

    it("disk full for good: the authority is not asked more often for that", async () => {
      start();
      await clock.advance(minuteMs);
      const before = issuer.windowQuestions;
      store.isFull = true;
      await clock.advance(2 * dayMs);
      assert.ok(issuer.windowQuestions - before <= 8);
      assert.equal(served.length, 1);
    });

    it("disk full after it: the old one serves until the new one is saved", async () => {
      start();
      await clock.advance(59 * dayMs);
      issuer.issue = async (request, signal) => {
        store.isFull = true;
        return await FakeIssuer.prototype.issue.call(issuer, request, signal);
      };
      await clock.advance(2 * dayMs);
      assert.equal(issuer.orders.length, 2);
      assert.equal(served.length, 1);
      assert.ok(states.at(-1)?.status === "failed");
      store.isFull = false;
      await clock.advance(2 * minuteMs);
      assert.equal(served.length, 2);
      assert.equal(issuer.orders.length, 2);
      assert.equal(states.at(-1)?.status, "valid");
    });

    it("disk full after it, and the old one about to end: the new one serves from memory", async () => {
      issuer.lifetimeMs = 20 * hourMs;
      start();
      await clock.advance(9 * hourMs);
      issuer.issue = async (request, signal) => {
        store.isFull = true;
        return await FakeIssuer.prototype.issue.call(issuer, request, signal);
      };
      await clock.advance(10.5 * hourMs);
      assert.equal(served.length, 2);
      assert.equal(issuer.orders.length, 2);
      await clock.advance(hourMs);
      assert.equal(served.length, 2, "and no other comes back");
    });

    it("of another name: not touched while that is valid", async () => {
      start();
      await clock.advance(minuteMs);
      const text = store.text;
      await restart({ name: "other.tunnel.test" });
      await clock.advance(dayMs);
      assert.equal(store.text, text);
      assert.equal(issuer.orders.length, 1);
      const state = states.at(-1);
      assert.ok(state?.status === "failed" && state.error.code === "usage");
    });

    it("somebody's own chain serves until it is due; a self-signed one does not", async () => {
      store.text = issuer.issued(key);
      start();
      await clock.advance(59 * dayMs);
      assert.equal(issuer.orders.length, 0);
      assert.equal(served.length, 1);
      await clock.advance(2 * dayMs);
      assert.equal(issuer.orders.length, 1);
      store.text = createCertificate({ key, dnsNames: [name], notBefore: new Date(clock.now()), days: 365 }).pem;
      await restart();
      await clock.advance(minuteMs);
      assert.equal(issuer.orders.length, 2);
    });

    it("for another key, or from another authority: a new one, while the old one serves if it can", async () => {
      start();
      await clock.advance(minuteMs);
      key = generateKey();
      await restart();
      await clock.advance(minuteMs);
      assert.equal(issuer.orders.length, 2);
      assert.equal(served.length, 2);
      issuer = new FakeIssuer(clock, "https://other-ca.test/directory");
      issuer.error = new PortholeError("unreachable", "no");
      await restart();
      await clock.advance(minuteMs / 2);
      assert.equal(served.length, 3, "the other authority's keeps serving");
      issuer.error = undefined;
      await clock.advance(2 * minuteMs);
      assert.equal(served.length, 4);
      assert.equal(issuer.orders[0]?.replaces, undefined);
    });

    it("expired: served all the same until there is a new one, for the clock may be wrong", async () => {
      start();
      await clock.advance(minuteMs);
      await end();
      await clock.advance(100 * dayMs);
      issuer.error = new PortholeError("unreachable", "no");
      start();
      await clock.advance(minuteMs / 2);
      assert.equal(served.length, 2);
      assert.equal(states.at(-1)?.status, "failed");
      issuer.error = undefined;
      await clock.advance(2 * minuteMs);
      assert.equal(served.length, 3);
    });
  });

  it("a clock that is years ahead: one order a day, and no more", async () => {
    const issued = issuer.issued.bind(issuer);
    issuer.issued = (forKey) => issued(forKey, clock.now() - 3_650 * dayMs);
    const keeper = start();
    await clock.advance(2.5 * dayMs);
    assert.ok(issuer.orders.length <= 3, String(issuer.orders.length));
    assert.ok(keeper.state.status === "failed" && /clock/.test(keeper.state.error.hint ?? ""));
  });

  it("a clock that is set back: the pause stays what it was", async () => {
    issuer.error = new PortholeError("busy", "no", { retryAfterMs: 2 * hourMs });
    start();
    await clock.advance(minuteMs);
    const now = clock.now.bind(clock);
    clock.now = () => now() - 365 * dayMs;
    await clock.advance(3 * hourMs);
    assert.equal(issuer.orders.length, 2);
  });

  it("stops in the middle of anything, at once", async () => {
    issuer.hangs = true;
    start();
    await turn();
    await end();
    start({
      whenReachable: (signal) =>
        new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
    });
    await clock.advance(minuteMs * 2);
    await end();
    assert.ok(states.every(({ status }) => status === "pending"));
    assert.ok(Number.isFinite(failedAt(0)));
  });

  it("refuses names that can't be certified in this way", () => {
    for (const bad of ["*.tunnel.test", "ABC.test", "127.0.0.1", "a_b.test", "abc.test."])
      assert.throws(() => start({ name: bad }), { code: "usage" });
  });
});
