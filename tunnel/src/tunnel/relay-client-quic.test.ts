import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { welcome } from "./fixture.test.ts";
import { linkLimits } from "@porthole/common/link";
import { limits as tunnelLimits } from "./limits.ts";
import { askedFor, fromWelcome, offer, unreachable, useRelayWorlds } from "./relay-world.test.ts";

describe("one endpoint's links with one relay over QUIC", () => {
  const world = useRelayWorlds();

  it("QUIC that is lost: the pool serves, and a new attempt brings it back", async () => {
    const it = world("auto");
    await it.clock.advance(tunnelLimits.quicHeadStartMs);
    await it.settle();
    it.answers.quic = unreachable;
    it.lose("quic");
    await it.settle();
    assert.deepEqual(it.up(), [0, 4]);
    it.answers.quic = welcome;
    await it.clock.advance(tunnelLimits.quicRetry.firstMs + tunnelLimits.quicSettledMs);
    await it.settle();
    assert.deepEqual(it.up(), [1, 1]);
    await it.end();
  });

  it("QUIC that goes silent: the standby carries at once, then the pool, and QUIC again when it is heard", async () => {
    const it = world("auto");
    await it.settle();
    it.darken("quic", true);
    // The longest time to the next heartbeat, and to the end of patience.
    await it.clock.advance(linkLimits.heartbeatIntervalMs + 2 * linkLimits.linkSilence.suspectMs);
    let now = it.now();
    assert.equal(now?.status === "online" && now.transport, "http2");
    assert.equal(now?.status === "online" && now.whyNotQuic, "UDP to relay:4433 has gone silent");
    await it.clock.advance(tunnelLimits.quicSilentPoolMs);
    await it.settle();
    assert.deepEqual(it.up(), [1, 4]);
    it.darken("quic", false);
    await it.settle();
    now = it.now();
    assert.equal(now?.status === "online" && now.transport, "quic");
    assert.equal(it.dials.quic, 1);
    await it.clock.advance(tunnelLimits.quicSettledMs);
    await it.settle();
    assert.deepEqual(it.up(), [1, 1]);
    await it.end();
  });

  it("QUIC that stays silent: its link ends, and a new one is tried at least once a minute, without an end", async () => {
    const it = world("auto");
    await it.settle();
    it.darken("quic", true);
    it.answers.quic = "hang";
    await it.clock.advance(linkLimits.heartbeatIntervalMs + linkLimits.linkSilence.deadMs + 1_000);
    assert.equal(it.up()[0], 0);
    await it.clock.advance(3_600_000);
    const { quic } = it.dials;
    assert.ok(quic > 3_600 / 60, `${quic} attempts in an hour`);
    it.answers.quic = welcome;
    await it.clock.advance(tunnelLimits.quicRetry.maxAfterServiceMs + linkLimits.quicHandshakeMs);
    assert.equal(it.up()[0], 1);
    await it.end();
  });

  it("QUIC that was up is tried as often when another network has given it another link", async () => {
    const it = world("auto");
    await it.settle();
    it.darken("quic", true);
    it.answers.quic = "hang";
    it.recheck();
    await it.clock.advance(linkLimits.linkSilence.deadMs);
    assert.ok(it.dials.quic > 1);
    await it.clock.advance(3_600_000);
    const { quic } = it.dials;
    assert.ok(quic > 3_600 / 60, `${quic} attempts in an hour`);
    await it.end();
  });

  it("QUIC that can't work with this key is abandoned, and HTTP/2 serves", async () => {
    const it = world("auto", { quic: new PortholeError("key", "can't use a key of the kind ed25519") });
    await it.settle();
    assert.deepEqual(it.up(), [0, 4]);
    await it.clock.advance(3_600_000);
    assert.equal(it.dials.quic, 1);
    assert.deepEqual(it.up(), [0, 4]);
    await it.end();
  });

  it("QUIC begins with the ticket of welcome, the next time with one of its own welcome, and then asks", async () => {
    const it = world("auto", { quic: "hang" });
    await it.settle();
    assert.deepEqual(it.tickets.begun, [fromWelcome]);
    it.answers.quic = unreachable;
    await it.clock.advance(linkLimits.quicHandshakeMs + tunnelLimits.quicRetry.firstMs);
    await it.settle();
    assert.ok(it.tickets.begun.length >= 2);
    // The pool that came in the meantime has brought others; after a silent attempt it asks for one that is good from anywhere.
    assert.equal(it.tickets.begun[1], askedFor);
    assert.equal(it.tickets.asked[0], "anywhere");
    await it.end();
  });

  it("has a fresh ticket for the moment when all links are lost", async () => {
    const it = world("auto");
    await it.settle();
    assert.deepEqual(it.up(), [1, 1]);
    await it.clock.advance(3_600_000);
    assert.ok(it.tickets.asked.length >= 10, `${it.tickets.asked.length} renewals in an hour`);
    it.answers.http2 = "hang";
    it.lose("http2");
    it.lose("quic");
    await it.settle();
    await it.clock.advance(tunnelLimits.quicRetry.firstMs);
    await it.settle();
    assert.deepEqual(it.up(), [1, 0]);
    await it.end();
  });

  it("a relay without QUIC at present: HTTP/2 serves and the state says why, until the relay offers it", async () => {
    const it = world("auto", {});
    it.tickets.offered = false;
    await it.settle();
    assert.deepEqual(it.up(), [0, 1]);
    await it.clock.advance(tunnelLimits.quicAbsentPoolMs);
    await it.settle();
    assert.deepEqual(it.up(), [0, 4]);
    const now = it.now();
    assert.match((now?.status === "online" && now.whyNotQuic) || "", /The relay has no QUIC at present/);
    assert.equal(it.dials.quic, 0);
    it.tickets.offered = true;
    it.say("http2", { type: "ticket", ...offer(it.tickets, "from welcome") });
    await it.settle();
    assert.equal(it.up()[0], 1);
    await it.end();
  });

  it("QUIC alone gets its ticket over HTTP/2 first, and only when it has none", async () => {
    const it = world("quic");
    await it.settle();
    assert.deepEqual(it.up(), [1, 0]);
    assert.deepEqual(it.dials, { quic: 1, http2: 1 });
    it.lose("quic");
    await it.clock.advance(tunnelLimits.reconnect.maxMs);
    await it.settle();
    assert.deepEqual(it.up(), [1, 0]);
    assert.deepEqual(it.dials, { quic: 2, http2: 1 });
    await it.end();
  });

  it("QUIC alone looks for another ticket when the network changes while it closes what brought the last one", async () => {
    const it = world("quic");
    for (let turn = 0; turn < 40 && it.up()[0] === 0; turn++) {
      it.recheck();
      await it.clock.advance(0);
      if (it.dials.http2 > 1) break;
    }
    assert.ok(it.dials.http2 > 1, "it has looked once more");
    await it.settle();
    assert.deepEqual(it.up(), [1, 0]);
    await it.end();
  });
});
