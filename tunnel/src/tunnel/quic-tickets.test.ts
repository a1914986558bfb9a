import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { type TicketOffer } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing/fake-clock";
import { key, welcome } from "./fixture.test.ts";
import { QuicTickets, type UsableTicket } from "./quic-tickets.ts";
import { openSession } from "./session.ts";
import { linkLimits } from "@porthole/common/link";
import { limits as tunnelLimits } from "./limits.ts";

/** A ticket of this digit, one that is over, that there is none, or nothing at all. */
type Answer = number | "over" | "none" | "nothing";

const stopped = new PortholeError("aborted", "The test is over");

describe("tickets for QUIC", () => {
  let clock: FakeClock;
  let tickets: QuicTickets;
  let stop: AbortController;
  const served: Promise<unknown>[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    tickets = new QuicTickets(clock);
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort(stopped);
    await Promise.all(served.splice(0));
    await clock.advance(0);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  /** A session over HTTP/2, and what the relay answers to hello and to what is asked then. */
  async function session(...answers: readonly Answer[]) {
    const pair = memoryConnectionPair();
    Object.defineProperty(pair.client, "kind", { value: "http2" });
    const relay = createLink(pair.relay, { clock, heartbeat: "watch" });
    void answer(relay, [...answers]);
    const hello = { type: "hello", protocol: 1, software: "test", instance: "one" } as const;
    const it = await openSession(pair.client, { clock, hello, key, onStream: () => {} }, stop.signal);
    served.push(it.serve(stop.signal).catch(() => {}));
    tickets.add(it);
    return {
      relay,
      darken: () => [pair.relay.control, pair.client.control].forEach((control) => control.pause()),
      isSilent: () => it.link.isSilent,
    };
  }

  async function take(): Promise<UsableTicket> {
    return tickets.take(false, stop.signal);
  }

  async function silent(...answers: readonly Answer[]) {
    const it = await session(...answers);
    it.darken();
    await clock.advance(
      linkLimits.heartbeatIntervalMs + linkLimits.linkSilence.suspectMs + linkLimits.heartbeatAttentiveMs,
    );
    assert.ok(it.isSilent());
  }

  it("are asked for where something is heard", async () => {
    await silent("nothing", 1);
    await session("nothing", 2);
    assert.equal((await take()).id[0], 2);
    await silent("nothing", 3);
    await session("nothing", 4);
    await silent("nothing", 5);
    assert.equal((await take()).id[0], 4);
  });

  it("come by another link when the one that was asked does not answer", async () => {
    await session("nothing", "nothing");
    const taken = take();
    await clock.advance(0);
    await session(2);
    assert.equal((await taken).id[0], 2);
  });

  it("are asked for once more when the link that was asked is lost", async () => {
    await session("nothing", 1);
    const { relay } = await session("nothing", "nothing");
    const taken = take();
    await clock.advance(0);
    relay.destroy(new PortholeError("closed", "pulled the plug"));
    assert.equal((await taken).id[0], 1);
  });

  it("that the relay does not give are no fault of UDP's", async () => {
    await session("nothing", "nothing");
    const refused = assert.rejects(take(), { code: "unreachable" });
    await clock.advance(tunnelLimits.ticketDeadlineMs);
    await refused;
    await session("nothing", "none");
    await assert.rejects(take(), { code: "unreachable", message: /has no QUIC at present/ });
  });

  it("that are over at once are not asked for again and again", async () => {
    await session("nothing", "over");
    await assert.rejects(take(), { code: "unreachable", message: /over at once/ });
  });

  it("from before a change of network are none any more, and there is another one soon", async () => {
    await session(1, 2, 3);
    assert.equal((await take()).id[0], 1);
    assert.equal((await take()).id[0], 2);
    await session(4);
    tickets.forget();
    assert.equal(tickets.isReady(false), false);
    await session(5, 6);
    tickets.forget();
    for (let i = 0; i < 10; i++) await clock.advance(0);
    assert.ok(tickets.isReady(false));
    assert.equal((await take()).id[0], 6);
  });

  it("of a relay that is about to stop are none any more, and it is not asked", async () => {
    const { relay } = await session(1, 2);
    relay.control.send({ type: "drain", reason: "restart", deadlineMs: 30_000 });
    await clock.advance(0);
    const taken = take();
    await clock.advance(0);
    await session(3);
    assert.equal((await taken).id[0], 3);
  });
});

async function answer(link: Link, answers: Answer[]): Promise<void> {
  for (let message = await link.control.next(); message; message = await link.control.next()) {
    const next = answers.shift() ?? "nothing";
    const offer = typeof next === "number" ? { ticket: ticket(next) } : next === "over" ? { ticket: ticket(9, 0) } : {};
    if (message.type === "hello") link.control.send({ ...welcome, ...offer });
    if (message.type === "ticket-request" && next !== "nothing") link.control.send({ type: "ticket", ...offer });
    if (message.type === "goodbye") await link.close(stopped);
  }
}

function ticket(digit: number, lifetimeMs = 600_000): NonNullable<TicketOffer["ticket"]> {
  return { quic: `0${digit}`.repeat(20), lifetimeMs };
}
