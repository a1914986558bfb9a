import assert from "node:assert/strict";
import { PortholeError } from "../../errors.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";
import { dayMs, FakeIssuer, hourMs, KeeperWorld, minuteMs, name } from "./fixture.test.ts";

describe("CertificateKeeper and its state", () => {
  let world: KeeperWorld;

  beforeEach(() => (world = new KeeperWorld()));
  afterEach(() => world.close());

  it("damaged: says so, orders once, and is whole again", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    const whole = world.store.text ?? "";
    for (const damage of ["", "\0".repeat(500), whole.slice(0, whole.length / 2), whole.replace(/\nM/, "\nA"), "{}"]) {
      world.store.text = damage;
      const before = world.issuer.orders.length;
      for (let round = 0; round < 3; round++) {
        await world.restart();
        await world.clock.advance(minuteMs);
      }
      assert.equal(world.issuer.orders.length, before + 1, JSON.stringify(damage.slice(0, 40)));
    }
  });

  it("damaged only in what is known about it: the certificate keeps serving", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    world.store.text = world.store.text?.replace('"version"', "???");
    await world.restart();
    await world.clock.advance(minuteMs);
    assert.equal(world.issuer.orders.length, 1);
    assert.equal(world.served.length, 2);
  });

  it("not readable: nothing is ordered, for there may be a good certificate in it", async () => {
    world.start();
    await world.clock.advance(59 * dayMs);
    world.store.isUnreadable = true;
    await world.restart();
    await world.clock.advance(2 * dayMs);
    assert.equal(world.issuer.orders.length, 1);
    assert.ok(world.states.at(-1)?.status === "failed");
    world.store.isUnreadable = false;
    await world.clock.advance(2 * minuteMs);
    assert.equal(world.served.length, 3, "the old one, then a new one");
  });

  it("disk full before the order: nothing is ordered", async () => {
    world.store.isFull = true;
    const keeper = world.start();
    await world.clock.advance(dayMs);
    assert.equal(world.issuer.orders.length, 0);
    assert.ok(keeper.state.status === "failed" && /disk is full/.test(keeper.state.error.message));
    world.store.isFull = false;
    await world.clock.advance(7 * hourMs);
    assert.equal(world.issuer.orders.length, 1);
  });

  it("disk full for good: the authority is not asked more often for that", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    const before = world.issuer.windowQuestions;
    world.store.isFull = true;
    await world.clock.advance(2 * dayMs);
    assert.ok(world.issuer.windowQuestions - before <= 8);
    assert.equal(world.served.length, 1);
  });

  it("disk full after it: the old one serves until the new one is saved", async () => {
    world.start();
    await world.clock.advance(59 * dayMs);
    world.issuer.issue = async (request, signal) => {
      world.store.isFull = true;
      return await FakeIssuer.prototype.issue.call(world.issuer, request, signal);
    };
    await world.clock.advance(2 * dayMs);
    assert.equal(world.issuer.orders.length, 2);
    assert.equal(world.served.length, 1);
    assert.ok(world.states.at(-1)?.status === "failed");
    world.store.isFull = false;
    await world.clock.advance(2 * minuteMs);
    assert.equal(world.served.length, 2);
    assert.equal(world.issuer.orders.length, 2);
    assert.equal(world.states.at(-1)?.status, "valid");
  });

  it("disk full after it, and the old one about to end: the new one serves from memory", async () => {
    world.issuer.lifetimeMs = 20 * hourMs;
    world.start();
    await world.clock.advance(9 * hourMs);
    world.issuer.issue = async (request, signal) => {
      world.store.isFull = true;
      return await FakeIssuer.prototype.issue.call(world.issuer, request, signal);
    };
    await world.clock.advance(10.5 * hourMs);
    assert.equal(world.served.length, 2);
    assert.equal(world.issuer.orders.length, 2);
    await world.clock.advance(hourMs);
    assert.equal(world.served.length, 2, "and no other comes back");
  });

  it("of another name: not touched while that is valid", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    const text = world.store.text;
    await world.restart({ name: "other.tunnel.test" });
    await world.clock.advance(dayMs);
    assert.equal(world.store.text, text);
    assert.equal(world.issuer.orders.length, 1);
    const state = world.states.at(-1);
    assert.ok(state?.status === "failed" && state.error.code === "usage");
  });

  it("somebody's own chain serves until it is due; a self-signed one does not", async () => {
    world.store.text = world.issuer.issued(world.key);
    world.start();
    await world.clock.advance(59 * dayMs);
    assert.equal(world.issuer.orders.length, 0);
    assert.equal(world.served.length, 1);
    await world.clock.advance(2 * dayMs);
    assert.equal(world.issuer.orders.length, 1);
    world.store.text = createCertificate({
      key: world.key,
      dnsNames: [name],
      notBefore: new Date(world.clock.now()),
      days: 365,
    }).pem;
    await world.restart();
    await world.clock.advance(minuteMs);
    assert.equal(world.issuer.orders.length, 2);
  });

  it("for another key, or from another authority: a new one, while the old one serves if it can", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    world.key = generateKey();
    await world.restart();
    await world.clock.advance(minuteMs);
    assert.equal(world.issuer.orders.length, 2);
    assert.equal(world.served.length, 2);
    world.issuer = new FakeIssuer(world.clock, "https://other-ca.test/directory");
    world.issuer.error = new PortholeError("unreachable", "no");
    await world.restart();
    await world.clock.advance(minuteMs / 2);
    assert.equal(world.served.length, 3, "the other authority's keeps serving");
    world.issuer.error = undefined;
    await world.clock.advance(2 * minuteMs);
    assert.equal(world.served.length, 4);
    assert.equal(world.issuer.orders[0]?.replaces, undefined);
  });

  it("expired: world.served all the same until there is a new one, for the world.clock may be wrong", async () => {
    world.start();
    await world.clock.advance(minuteMs);
    await world.end();
    await world.clock.advance(100 * dayMs);
    world.issuer.error = new PortholeError("unreachable", "no");
    world.start();
    await world.clock.advance(minuteMs / 2);
    assert.equal(world.served.length, 2);
    assert.equal(world.states.at(-1)?.status, "failed");
    world.issuer.error = undefined;
    await world.clock.advance(2 * minuteMs);
    assert.equal(world.served.length, 3);
  });
});
