import assert from "node:assert/strict";
import { key, welcome } from "./fixture.test.ts";
import { linkLimits } from "@porthole/common/link";
import { limits as tunnelLimits } from "./limits.ts";
import { refusal, unreachable, untrusted, useRelayWorlds, type World } from "./relay-world.test.ts";

describe("one endpoint's links with one relay", () => {
  const world = useRelayWorlds();

  it("sends name and token, and the token no more once it is admitted", async () => {
    const it = world("h2", { http2: unreachable });
    await it.settle();
    assert.equal(it.tokensUsed(), 0);
    it.answers.http2 = welcome;
    await it.clock.advance(tunnelLimits.reconnect.maxMs);
    await it.settle();
    const [first] = it.hellos;
    assert.deepEqual([first?.name, first?.token], ["myapp", "one-time"]);
    assert.equal(it.tokensUsed(), 1);
    it.hellos.length = 0;
    it.lose("http2");
    await it.clock.advance(tunnelLimits.reconnect.maxMs);
    await it.settle();
    assert.ok(it.hellos.length > 0 && it.hellos.every(({ name, token }) => name === "myapp" && token === undefined));
    await it.end();
  });

  it("auto: QUIC, and one HTTP/2 connection beside it", async () => {
    const it = world("auto");
    await it.settle();
    assert.deepEqual(it.up(), [1, 1]);
    const now = it.now();
    assert.equal(now?.status === "online" && now.transport, "quic");
    assert.deepEqual(now?.status === "online" && now.urls, [`https://${key.clientId}.localhost`]);
    await it.end();
    assert.deepEqual(it.now(), { status: "stopped" });
  });

  it("auto: the whole pool when QUIC has had its head start, and the standby alone once it is up", async () => {
    const it = world("auto", { quic: "hang" });
    await it.settle();
    await it.clock.advance(tunnelLimits.quicHeadStartMs - 1);
    assert.deepEqual(it.up(), [0, 1]);
    await it.clock.advance(1);
    await it.settle();
    assert.deepEqual(it.up(), [0, 4]);
    let now = it.now();
    assert.equal(now?.status === "online" && now.whyNotQuic, "QUIC is being tried");
    it.answers.quic = welcome;
    await it.clock.advance(linkLimits.quicHandshakeMs);
    now = it.now();
    assert.equal(now?.status === "online" && now.whyNotQuic, "UDP to relay:4433 got no answer");
    assert.ok(now?.status === "online" && now.nextQuicTryAt !== undefined);
    await it.clock.advance(tunnelLimits.quicRetry.firstMs);
    await it.settle();
    await it.clock.advance(tunnelLimits.quicSettledMs);
    await it.settle();
    assert.deepEqual(it.up(), [1, 1]);
    now = it.now();
    assert.equal(now?.status === "online" && now.transport, "quic");
    assert.equal(now?.status === "online" && now.whyNotQuic, undefined);
    await it.end();
  });

  for (const [what, policy, quic, up] of [
    ["auto without native code: the whole pool at once", "auto", false, [0, 4]],
    ["h2: the whole pool, and QUIC is not even tried", "h2", true, [0, 4]],
    ["quic: nothing else", "quic", true, [1, 0]],
  ] as const) {
    it(what, async () => {
      const it = world(policy, {}, quic);
      await it.settle();
      assert.deepEqual(it.up(), up);
      assert.equal(it.dials.quic, up[0]);
      await it.end();
    });
  }

  for (const [what, go] of [
    ["a relay that drains", (it: World) => it.say("quic", { type: "drain", reason: "restart", deadlineMs: 30_000 })],
    ["a link that is worn out", (it: World) => it.exhaustion("quic", 1)],
  ] as const) {
    it(`${what}: a new link first, then the old one goes when its visitors are through`, async () => {
      const it = world("auto");
      await it.settle();
      await it.clock.advance(tunnelLimits.linkInspectionMs - 1);
      const visitor = it.visit("quic");
      go(it);
      await it.clock.advance(1);
      await it.settle();
      assert.equal(it.dials.quic, 2);
      assert.deepEqual(it.up(), [2, 1]);
      assert.ok(it.statuses.every(({ status }) => status !== "waiting"));
      visitor.end();
      visitor.resume();
      await it.settle();
      assert.deepEqual(it.up(), [1, 1]);
      await it.clock.advance(60_000);
      assert.equal(it.dials.quic, 2);
      await it.end();
    });
  }

  it("a relay that drains and takes nobody any more: the old links serve until they end", async () => {
    const it = world("auto");
    await it.settle();
    Object.assign(it.answers, { quic: unreachable, http2: unreachable });
    for (const kind of ["quic", "http2"] as const)
      it.say(kind, { type: "drain", reason: "restart", deadlineMs: 30_000 });
    await it.settle();
    assert.equal(it.now()?.status, "online");
    it.lose("quic");
    it.lose("http2");
    await it.settle();
    assert.equal(it.now()?.status, "waiting");
    const hint = (): unknown => {
      const now = it.now();
      return now?.status === "waiting" ? now.hint : undefined;
    };
    assert.equal(hint(), undefined);
    for (let i = 0; i < 4 && hint() === undefined; i++) {
      await it.clock.advance(tunnelLimits.reconnect.maxAfterServiceMs);
      await it.settle();
    }
    assert.equal(hint(), "doctor");
    Object.assign(it.answers, { quic: welcome, http2: welcome });
    await it.clock.advance(tunnelLimits.reconnect.maxMs);
    await it.settle();
    assert.equal(it.now()?.status, "online");
    await it.end();
  });

  it("another network: links that don't answer are replaced, those that do stay, and nobody waits", async () => {
    const it = world("auto");
    await it.settle();
    it.darken("http2", true);
    it.recheck();
    await it.clock.advance(linkLimits.linkSilence.suspectMs);
    await it.settle();
    assert.deepEqual(it.dials, { quic: 1, http2: 2 });
    assert.deepEqual(it.tickets.asked, ["here"], "the ticket at hand was for where we were");
    it.darken("http2", true);
    it.lose("http2");
    it.answers.http2 = "hang";
    await it.settle();
    await it.clock.advance(tunnelLimits.reconnect.maxMs);
    const { http2 } = it.dials;
    it.answers.http2 = welcome;
    it.recheck();
    await it.settle();
    assert.equal(it.dials.http2, http2 + 1);
    assert.equal(it.up()[1], 1);
    await it.end();
  });

  it("a relay that is back: QUIC is tried at once, and not after its long pause", async () => {
    const it = world("auto", { quic: unreachable, http2: unreachable });
    await it.settle();
    const now = it.now();
    assert.equal(now?.status === "waiting" && now.error, unreachable);
    Object.assign(it.answers, { quic: welcome, http2: welcome });
    await it.clock.advance(tunnelLimits.reconnect.firstMs);
    await it.settle();
    assert.equal(it.up()[0], 1);
    await it.end();
  });

  it("a refusal ends everything, and nothing is dialled any more", async () => {
    const it = world("auto", { http2: refusal });
    await it.settle();
    await it.over;
    const now = it.now();
    assert.equal(now?.status === "failed" && now.error.code, "unauthorized");
    assert.deepEqual(it.up(), [0, 0]);
    const dials = { ...it.dials };
    it.answers.http2 = welcome;
    await it.clock.advance(3_600_000);
    assert.deepEqual(it.dials, dials);
    await it.end();
  });

  it("a relay that is another one ends everything at first", async () => {
    const it = world("h2", { http2: untrusted });
    await it.settle();
    const now = it.now();
    assert.equal(now?.status === "failed" && now.error, untrusted);
    await it.end();
  });

  it("but not once the right one has admitted us, also for links that are new", async () => {
    const it = world("auto");
    await it.settle();
    Object.assign(it.answers, { quic: untrusted, http2: untrusted });
    it.lose("quic");
    it.lose("http2");
    await it.settle();
    await it.clock.advance(tunnelLimits.reconnect.firstMs);
    const now = it.now();
    assert.equal(now?.status === "waiting" && now.error, untrusted);
    Object.assign(it.answers, { quic: welcome, http2: welcome });
    await it.clock.advance(tunnelLimits.reconnect.maxMs);
    await it.settle();
    assert.equal(it.now()?.status, "online");
    await it.end();
  });

  it("can be stopped before it has begun", async () => {
    const it = world("auto");
    await it.end();
    assert.deepEqual(it.now(), { status: "stopped" });
  });
});
