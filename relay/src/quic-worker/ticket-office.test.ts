import assert from "node:assert/strict";
import { generateKey } from "@porthole/common/identity";
import { TicketGate, type TicketKey } from "@porthole/common/link/quic";
import { Secret } from "@porthole/common/util";
import { FakeClock } from "@porthole/testing";
import { ticketLimits } from "./limits.ts";
import { TicketOffice } from "./ticket-office.ts";

const { fingerprint } = generateKey();
const holder = { fingerprint, address: "192.0.2.1" };
const here = { address: "192.0.2.1", port: 1 };
const elsewhere = { address: "192.0.2.2", port: 1 };

describe("the relay's tickets", () => {
  let clock: FakeClock;
  let office: TicketOffice;
  let gate: TicketGate;
  let told: readonly TicketKey[][];

  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    office = new TicketOffice(clock, (keys) => {
      told = [...told, [...keys]];
      gate.setKeys(keys);
    });
    gate = new TicketGate(clock, office.keys());
  });

  function issue(anywhere: boolean): Buffer {
    return Buffer.from(office.issue(holder, anywhere).quic, "hex");
  }

  it("are let in by the QUIC worker, for as long as they say", async () => {
    const { quic, lifetimeMs } = office.issue(holder, false);
    assert.equal(lifetimeMs, ticketLimits.lifetimeMs);
    const ticket = Buffer.from(quic, "hex");
    assert.equal(gate.refuses(ticket, here), undefined);
    assert.equal(gate.refuses(ticket, elsewhere), "ticket-elsewhere");
    await clock.advance(lifetimeMs + 1_000);
    assert.equal(gate.refuses(ticket, here), "ticket-expired");
  });

  it("outlive a restart of the relay with their keys, and no longer than they say", async () => {
    const old = issue(false);
    const keys = office.keys();
    await clock.advance(ticketLimits.lifetimeMs / 2);
    const next = new TicketOffice(clock, () => {});
    next.adopt(keys);
    const gateOfNext = new TicketGate(clock, next.keys());
    assert.equal(gateOfNext.refuses(old, here), undefined);
    assert.equal(gateOfNext.refuses(old, elsewhere), "ticket-elsewhere");
    await clock.advance(ticketLimits.keyLifetimeMs);
    const later = new TicketOffice(clock, () => {});
    later.adopt(keys);
    assert.deepEqual(later.keys().length, 2);
    assert.notEqual(later.keys()[0]?.id, keys[0]?.id);
    await clock.advance(ticketLimits.lifetimeMs);
    const last = new TicketOffice(clock, () => {});
    last.adopt(keys);
    assert.equal(last.keys().length, 1);
  });

  it("for anywhere last seconds", async () => {
    const ticket = issue(true);
    assert.equal(gate.refuses(ticket, elsewhere), undefined);
    await clock.advance(ticketLimits.roamingLifetimeMs + 1_000);
    assert.equal(gate.refuses(ticket, elsewhere), "ticket-expired");
  });

  it("come from a new key every hour, which the QUIC worker gets; earlier ones stay good", async () => {
    issue(false);
    await clock.advance(ticketLimits.keyLifetimeMs - 1);
    const old = issue(false);
    assert.equal(told.length, 0);
    await clock.advance(1);
    const fresh = issue(false);
    assert.equal(told.length, 1);
    assert.equal(told[0]?.length, 2);
    assert.equal(gate.refuses(old, here), undefined);
    assert.equal(gate.refuses(fresh, here), undefined);
    await clock.advance(2 * ticketLimits.keyLifetimeMs);
    issue(false);
    assert.equal(gate.refuses(fresh, here), "ticket-expired");
  });
});

describe("tickets of relays with one secret", () => {
  const secret = new Secret("of all relays");

  it("are good at each other, also when their clocks differ, and no longer than they say", async () => {
    const [clock, ahead] = [new FakeClock(), new FakeClock()];
    await ahead.advance(5 * 60_000);
    // The last minute of a key: for the other relay its time is over already.
    const toEnd = ticketLimits.keyLifetimeMs - (clock.now() % ticketLimits.keyLifetimeMs) - 60_000;
    for (const each of [clock, ahead]) await each.advance(toEnd);
    const near = new TicketOffice(clock, () => {}, secret);
    const there = new TicketOffice(ahead, () => {}, secret);
    assert.notEqual(near.keys()[0]?.id, there.keys()[0]?.id);
    const gates = [
      [new TicketGate(clock, near.keys()), there],
      [new TicketGate(ahead, there.keys()), near],
    ] as const;
    for (const [gate, office] of gates) {
      const ticket = Buffer.from(office.issue(holder, false).quic, "hex");
      assert.equal(gate.refuses(ticket, here), undefined);
      assert.equal(gate.refuses(ticket, elsewhere), "ticket-elsewhere");
    }
    const other = new TicketOffice(clock, () => {}, new Secret("of no relay"));
    assert.equal(gates[0][0].refuses(Buffer.from(other.issue(holder, false).quic, "hex"), here), "no-ticket");
  });

  it("come by new keys with the time, which are told to the gate although none is issued", async () => {
    const clock = new FakeClock();
    const told: (readonly TicketKey[])[] = [];
    const office = new TicketOffice(clock, (keys) => void told.push(keys), secret);
    const [first] = office.keys();
    office.rotate();
    assert.equal(told.length, 0);
    await clock.advance(ticketLimits.keyLifetimeMs);
    office.rotate();
    assert.equal(told.length, 1);
    assert.deepEqual(told[0]?.[1], first, "the previous one is still good");
  });
});
