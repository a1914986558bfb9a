import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { FakeClock } from "@porthole/testing/fake-clock";
import { parseKey } from "../../identity/index.ts";
import { clientIdentity, selfSigned } from "./fixture.test.ts";
import { createTicketKey, mintTicket, ticketFault, type TicketClaims, type TicketKey } from "./ticket.ts";
import { TicketGate } from "./quiche/gate/ticket-gate.ts";

const { fingerprint } = parseKey(clientIdentity.key, "test");
const from = { address: "192.0.2.1", port: 5555 };
const lifetimeMs = 600_000;

describe("quic tickets", () => {
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  function claims(changes: Partial<TicketClaims> = {}): TicketClaims {
    return { fingerprint, address: from.address, expiresAtMs: clock.now() + lifetimeMs, ...changes };
  }

  it("are good where they were given to, until they expire", async () => {
    const key = createTicketKey(7, clock.now());
    const ticket = mintTicket(key, claims());
    assert.equal(ticket.length, 20);
    assert.equal(ticketFault(key, ticket, from, clock.now()), undefined);
    assert.equal(ticketFault(key, ticket, { address: "::ffff:192.0.2.1" }, clock.now()), undefined);
    assert.equal(ticketFault(key, ticket, { address: "192.0.2.2" }, clock.now()), "ticket-elsewhere");
    assert.equal(ticketFault(key, ticket, { address: "2001:db8::1" }, clock.now()), "ticket-elsewhere");
    await clock.advance(lifetimeMs - 1_000);
    assert.equal(ticketFault(key, ticket, from, clock.now()), undefined);
    await clock.advance(1_000);
    assert.equal(ticketFault(key, ticket, from, clock.now()), "ticket-expired");
  });

  it("are good for the whole network of an IPv6 host, or anywhere, if they were made so", () => {
    const key = createTicketKey(7, clock.now());
    const ticket = mintTicket(key, claims({ address: "2001:db8:0:1::1" }));
    assert.equal(ticketFault(key, ticket, { address: "2001:db8:0:1:ffff::2" }, clock.now()), undefined);
    assert.equal(ticketFault(key, ticket, { address: "2001:db8:0:2::1" }, clock.now()), "ticket-elsewhere");
    const roaming = mintTicket(key, claims({ address: undefined }));
    for (const address of ["192.0.2.77", "2001:db8:0:2::1"])
      assert.equal(ticketFault(key, roaming, { address }, clock.now()), undefined);
  });

  it("are none whatever byte of them is changed, by another key, and of another length", () => {
    const key = createTicketKey(7, clock.now());
    const ticket = mintTicket(key, claims());
    for (let i = 0; i < ticket.length; i++) {
      const forged = Buffer.from(ticket);
      forged.writeUInt8(forged.readUInt8(i) ^ 1, i);
      assert.equal(ticketFault(key, forged, from, clock.now()), "no-ticket", `byte ${i}`);
      assert.equal(ticketFault(key, ticket.subarray(0, i), from, clock.now()), "no-ticket");
    }
    assert.equal(ticketFault(createTicketKey(7, clock.now()), ticket, from, clock.now()), "no-ticket");
    assert.equal(ticketFault(key, randomBytes(20), from, clock.now()), "no-ticket");
  });

  it("of one client can't be told from those of two", () => {
    const key = createTicketKey(7, clock.now());
    const [one, two] = [mintTicket(key, claims()), mintTicket(key, claims())];
    assert.notDeepEqual(one.subarray(6, 9), two.subarray(6, 9));
    assert.notDeepEqual(one.subarray(9, 13), two.subarray(9, 13));
  });

  describe("at the gate", () => {
    it("begin one handshake each", async () => {
      const key = createTicketKey(7, clock.now());
      const gate = new TicketGate(clock, [key]);
      const ticket = mintTicket(key, claims());
      assert.equal(gate.refuses(ticket, from), undefined);
      assert.equal(gate.refuses(ticket, from), undefined, "being asked is not being used");
      assert.equal(gate.spend(ticket), true);
      assert.equal(gate.refuses(ticket, from), "ticket-used");
      assert.equal(gate.spend(ticket), false);
      const other = mintTicket(key, claims());
      assert.equal(gate.refuses(other, from), undefined);
      await clock.advance(lifetimeMs);
      assert.equal(gate.refuses(ticket, from), "ticket-expired");
    });

    it("are for the key that they were made for", () => {
      const key = createTicketKey(7, clock.now());
      const gate = new TicketGate(clock, [key]);
      const ticket = mintTicket(key, claims());
      assert.equal(gate.isFor(ticket, clientIdentity.der), true);
      assert.equal(gate.isFor(ticket, selfSigned().der), false);
      assert.equal(gate.isFor(ticket, Buffer.from("no certificate")), false);
    });

    it("are looked at so many times a second; what can't be one costs nobody else a look", async () => {
      const key = createTicketKey(7, clock.now());
      const gate = new TicketGate(clock, [key]);
      const ticket = mintTicket(key, claims());
      const [forged, foreign] = [Buffer.from(ticket), Buffer.from(ticket)];
      forged.writeUInt8(forged.readUInt8(19) ^ 1, 19);
      foreign.writeUInt8(8, 0);
      for (let i = 0; i < 10_000; i++) assert.equal(gate.refuses(foreign, from), "no-ticket");
      for (let i = 0; i < 200; i++) assert.equal(gate.refuses(forged, from), "no-ticket");
      assert.equal(gate.refuses(ticket, from), "rate");
      assert.equal(gate.refuses(foreign, from), "no-ticket");
      await clock.advance(1);
      assert.equal(gate.refuses(ticket, from), undefined);
      let looks = 0;
      for (let ms = 0; ms < 1_000; ms++) {
        await clock.advance(1);
        while (gate.refuses(forged, from) === "no-ticket") looks += 1;
      }
      assert.ok(Math.abs(looks - 4_000) < 10, `${looks} looks in a second`);
    });

    it("outlive a change of keys by one key", () => {
      const keys = [1, 2, 3].map((id) => createTicketKey(id, clock.now())) as [TicketKey, TicketKey, TicketKey];
      const gate = new TicketGate(clock, [keys[0]]);
      const ticket = mintTicket(keys[0], claims());
      gate.setKeys([keys[1], keys[0]]);
      assert.equal(gate.refuses(ticket, from), undefined);
      gate.setKeys([keys[2], keys[1]]);
      assert.equal(gate.refuses(ticket, from), "no-ticket");
      assert.equal(gate.spend(ticket), false);
    });
  });
});
