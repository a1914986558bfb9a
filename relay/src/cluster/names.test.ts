import assert from "node:assert/strict";
import * as fc from "fast-check";
import { FakeClock } from "@porthole/testing";
import { BusDecoder, encodeBusMessage, type BusMessage } from "./bus-wire.ts";
import type { Bus } from "./bus.ts";
import { limits } from "./limits.ts";
import { NameMirror } from "./name-mirror.ts";
import { NameTeller } from "./name-teller.ts";
import { decodeNames, encodeNames } from "./names-wire.ts";

const hostname = fc.stringMatching(/^[a-z]{1,3}$/).map((label) => `${label}.localhost`);

/** One relay that tells, one that listens; between them messages may get lost, which links don't do. */
class NamesWorld {
  readonly clock = new FakeClock();
  readonly served = new Set<string>();
  readonly arrivals: string[] = [];
  loses = false;
  confusions = 0;
  #listener: ((to: string) => void) | undefined;
  readonly mirror = new NameMirror({
    clock: this.clock,
    graceMs: () => 10_000,
    onArrival: (name) => void this.arrivals.push(name),
    onConfusion: () => {
      this.confusions += 1;
    },
  });
  readonly teller: NameTeller;

  constructor() {
    const carry = (bytes: Uint8Array): void => {
      if (!this.loses) this.mirror.hear("home", decodeNames(Buffer.from(bytes)));
    };
    const bus: Bus = {
      publish: (_topic, bytes) => carry(bytes),
      send: (_to, _topic, bytes) => {
        carry(bytes);
        return true;
      },
      subscribe: () => () => {},
      onListener: (listener) => {
        this.#listener = listener;
        return () => {};
      },
      onSpeaker: () => () => {},
      listenAgain: () => {},
    };
    this.teller = new NameTeller({ bus, clock: this.clock, names: () => this.served });
  }

  listen(): void {
    this.#listener?.("front");
  }

  set(name: string, isHere: boolean): void {
    if (this.served.has(name) === isHere) return;
    if (isHere) this.served.add(name);
    else this.served.delete(name);
    this.teller.changed(name, isHere);
  }

  known(names: Iterable<string>): string[] {
    return [...names].filter((name) => this.mirror.find(name).length > 0).toSorted();
  }

  close(): void {
    this.teller.close();
    this.mirror.close();
    assert.equal(this.clock.pending, 0, "a timer is left");
  }
}

describe("names of a cluster", () => {
  it("are the same at both relays, whatever happens to them and to the messages", async () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant("set" as const), name: hostname, isHere: fc.boolean() }),
      fc.record({ what: fc.constantFrom("batch", "listen", "lose", "lost") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new NamesWorld();
        world.listen();
        const all = new Set<string>();
        for (const each of steps) {
          if (each.what === "set" && "name" in each) {
            all.add(each.name);
            world.set(each.name, each.isHere);
          } else if (each.what === "batch") await world.clock.advance(limits.batchMs);
          else if (each.what === "listen") world.listen();
          else if (each.what === "lost") world.mirror.lost("home");
          else {
            // What is published in the meantime is lost; the next message shows it.
            world.loses = true;
            await world.clock.advance(limits.batchMs);
            world.loses = false;
          }
        }
        await world.clock.advance(limits.batchMs);
        const before = world.confusions;
        world.mirror.check("home", world.teller.told);
        const isSame = String(world.known(all)) === String([...world.served].toSorted());
        // A difference is never unnoticed, unless nothing was told since: then the next beat has another number.
        if (!isSame && world.mirror.count("home") > 0) {
          world.set("last.localhost", true);
          await world.clock.advance(limits.batchMs);
          world.mirror.check("home", world.teller.told);
          assert.ok(world.confusions > before, "a difference was not noticed");
        }
        world.listen();
        assert.deepEqual(world.known([...all, "last.localhost"]), [...world.served].toSorted());
        world.mirror.check("home", world.teller.told);
        assert.equal(world.mirror.count("home"), world.served.size);
        await world.clock.advance(20_000);
        world.close();
      }),
    );
  });

  it("of a relay that is lost are expected elsewhere for a while, and then forgotten", async () => {
    const world = new NamesWorld();
    world.set("app.localhost", true);
    world.listen();
    assert.deepEqual(world.mirror.find("app.localhost"), ["home"]);
    world.mirror.lost("home");
    assert.deepEqual(world.mirror.find("app.localhost"), []);
    assert.equal(world.mirror.expectedMs("app.localhost"), 10_000);
    assert.equal(world.mirror.expectedMs("other.localhost"), 0);
    await world.clock.advance(10_000);
    assert.equal(world.mirror.expectedMs("app.localhost"), 0);
    assert.equal(world.mirror.size, 0);
    world.listen();
    assert.deepEqual(world.mirror.find("app.localhost"), ["home"]);
    world.close();
  });

  it("of many relays are told apart, and a dead one's entries go in pieces", async () => {
    const world = new NamesWorld();
    const names = Array.from({ length: 2.5 * limits.sweep.entries }, (_, index) => `n${index}.localhost`);
    for (const node of ["a", "b"]) {
      const message = { seq: 0, added: [], removed: [] };
      world.mirror.hear(node, { ...message, kind: "begin" });
      world.mirror.hear(node, { ...message, kind: "part", added: names });
      world.mirror.hear(node, { ...message, kind: "end" });
    }
    assert.deepEqual(world.mirror.find("n7.localhost"), ["a", "b"]);
    world.mirror.lost("a");
    await world.clock.advance(10_000);
    assert.deepEqual(world.mirror.find("n7.localhost"), ["b"]);
    world.mirror.lost("b");
    await world.clock.advance(10_000 + 10 * limits.sweep.pauseMs);
    assert.equal(world.mirror.size, 0);
    world.close();
  });

  it("travel as they are", () => {
    const names = fc.array(hostname);
    const message = fc.record({
      ...{ seq: fc.nat(), added: names, removed: names },
      kind: fc.constantFrom("begin" as const, "part" as const, "end" as const, "change" as const),
    });
    fc.assert(fc.property(message, (each) => assert.deepEqual(decodeNames(encodeNames(each)), { ...each })));
  });

  for (const text of ["", "x begin", "1 begin\nno-sign.localhost", "1 begin\n+UPPER.localhost", "1 begin\n+", "1 stop"])
    it(`are refused as ${JSON.stringify(text)}`, () => {
      assert.throws(() => decodeNames(Buffer.from(text)), { code: "protocol" });
    });

  it("any bytes are a list of names or a breach of the protocol", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          decodeNames(Buffer.from(bytes));
        } catch (reason) {
          assert.equal((reason as { code?: string }).code, "protocol");
        }
      }),
    );
  });
});

describe("messages between relays", () => {
  it("come out as they went in, however they are cut", () => {
    const message = fc.record({ topic: fc.stringMatching(/^[a-z]{1,64}$/), bytes: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(50)), (messages, cuts) => {
        const all = Buffer.concat(messages.map(({ topic, bytes }) => encodeBusMessage(topic, bytes)));
        const decoder = new BusDecoder();
        const got: BusMessage[] = [];
        let at = 0;
        for (const cut of [...cuts, all.length]) {
          got.push(...decoder.push(all.subarray(at, at + cut)));
          at += cut;
        }
        assert.deepEqual(
          got.map(({ topic, bytes }) => ({ topic, bytes: [...bytes] })),
          messages.map(({ topic, bytes }) => ({ topic, bytes: [...bytes] })),
        );
      }),
    );
  });

  it("are bounded, and need a topic", () => {
    assert.throws(() => [...new BusDecoder().push(Buffer.from("ffffffff00", "hex"))], { code: "limit" });
    assert.throws(() => [...new BusDecoder().push(Buffer.from("0000000100", "hex"))], { code: "protocol" });
    assert.throws(() => [...new BusDecoder().push(Buffer.from("0000000205ff", "hex"))], { code: "protocol" });
    assert.throws(() => encodeBusMessage("topic", Buffer.alloc(limits.maxMessageBytes)), { code: "internal" });
  });
});
