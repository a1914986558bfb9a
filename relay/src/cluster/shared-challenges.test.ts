import assert from "node:assert/strict";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { silentLogger } from "@porthole/common/log";
import { FakeClock } from "@porthole/testing";
import { quotaLimits } from "../certificates/issuance-quota.ts";
import type { Bus } from "./bus.ts";
import { limits } from "./limits.ts";
import { MemoryLedger } from "./memory-ledger.test.ts";
import { SharedChallenges } from "./shared-challenges.ts";
import { sharedQuotas } from "./shared-quotas.ts";

type Listener = (from: string, bytes: Buffer) => void;

/** Relays that hear each other while they are connected. */
class Buses {
  readonly #subscribers = new Map<string, Map<string, Listener[]>>();
  readonly #onListener = new Map<string, (to: string) => void>();
  readonly connected = new Set<string>();

  of(node: string): Bus & { readonly listeners: readonly string[] } {
    const subscribers = new Map<string, Listener[]>();
    this.#subscribers.set(node, subscribers);
    const others = (): string[] => [...this.connected].filter((each) => each !== node && this.connected.has(node));
    const send = (to: string, topic: string, bytes: Uint8Array): boolean => {
      if (!others().includes(to)) return false;
      for (const listener of this.#subscribers.get(to)?.get(topic) ?? []) listener(node, Buffer.from(bytes));
      return true;
    };
    return {
      get listeners() {
        return others();
      },
      publish: (topic, bytes) => void others().map((to) => send(to, topic, bytes)),
      send,
      subscribe(topic, listener) {
        subscribers.set(topic, [...(subscribers.get(topic) ?? []), listener]);
        return () => {};
      },
      onListener: (listener) => {
        this.#onListener.set(node, listener);
        return () => {};
      },
      onSpeaker: () => () => {},
      listenAgain: () => {},
    };
  }

  connect(node: string): void {
    const before = [...this.connected];
    this.connected.add(node);
    for (const other of before) {
      this.#onListener.get(other)?.(node);
      this.#onListener.get(node)?.(other);
    }
  }
}

describe("challenges of relays with one name", () => {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: ["tunnel.example"], notBefore: new Date(), days: 1 });
  const challenge = { certificate: pem, key: key.pem };
  const name = "tunnel.example";
  let clock: FakeClock;
  let buses: Buses;

  beforeEach(() => {
    clock = new FakeClock();
    buses = new Buses();
  });

  afterEach(() => assert.equal(clock.pending, 0, "a timer is left"));

  function relay(node: string): SharedChallenges {
    return new SharedChallenges({ bus: buses.of(node), clock, log: silentLogger });
  }

  it("are known to all before the authority is asked, to one that comes later too, and forgotten together", async () => {
    const [a, b, late] = [relay("a"), relay("b"), relay("late")];
    for (const node of ["a", "b"]) buses.connect(node);
    await a.publish(name, challenge);
    assert.deepEqual(
      [a, b, late].map((each) => each.find(name) !== undefined),
      [true, true, false],
    );
    buses.connect("late");
    assert.ok(late.find(name));
    a.withdraw(name);
    assert.deepEqual(
      [a, b, late].map((each) => each.find(name)),
      [undefined, undefined, undefined],
    );
  });

  it("wait for no relay that says nothing, and need none", async () => {
    const a = relay("a");
    await a.publish(name, challenge);
    buses.of("silent");
    for (const node of ["a", "silent"]) buses.connect(node);
    let isPublished = false;
    const published = a.publish(name, challenge).then(() => {
      isPublished = true;
    });
    await clock.advance(limits.challengeMs - 1);
    assert.equal(isPublished, false);
    await clock.advance(1);
    await published;
  });

  it("are not taken over from a relay that sends nonsense", async () => {
    const [a, b] = [relay("a"), relay("b")];
    for (const node of ["a", "b"]) buses.connect(node);
    const evil = buses.of("evil");
    buses.connect("evil");
    for (const text of ["", "[]", '{"name":1}']) assert.throws(() => evil.publish("challenge", Buffer.from(text)));
    evil.publish("challenge", Buffer.from(JSON.stringify({ name, certificate: "x", key: "y" })));
    assert.equal(a.find(name), undefined);
    buses.connected.delete("evil");
    await b.publish(name, challenge);
    assert.ok(a.find(name));
  });
});

describe("quotas of relays with one ledger", () => {
  it("are counted together, and none is given while the engine is away", async () => {
    const clock = new FakeClock();
    const ledger = new MemoryLedger(clock);
    const [a, b] = [1, 2].map(() => sharedQuotas(ledger, clock, quotaLimits(6))) as [
      ReturnType<typeof sharedQuotas>,
      ReturnType<typeof sharedQuotas>,
    ];
    for (let name = 0; name < 6; name++) await (name % 2 === 0 ? a : b).take(`${name}.example`, `owner ${name}`);
    for (const each of [a, b]) await assert.rejects(each.take("7.example", "owner 7"), { code: "busy" });
    assert.equal((await a.left("owner 7")).all, 0);
    await clock.advance(7 * 24 * 3_600_000);
    ledger.isAway = true;
    await assert.rejects(b.take("7.example", "owner 7"), { code: "busy" });
    ledger.isAway = false;
    await b.take("7.example", "owner 7");
  });
});
