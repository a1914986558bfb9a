import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { parseLocalService } from "../gateway/index.ts";
import { createLink, type TransportConnection, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/common/link/memory";
import { silentLogger } from "@porthole/common/log";
import { encodeProxyHeader, type ControlMessage, type Hello } from "@porthole/common/protocol";
import { Secret } from "@porthole/common/util";
import { FakeClock } from "@porthole/testing/fake-clock";
import { key, welcome } from "./fixture.test.ts";
import { Endpoint } from "./endpoint.ts";
import { RelayClient } from "./relay-client.ts";
import type { Dialers } from "./relay-dialer.ts";
import type { RelayStatus } from "./state.ts";
import type { TransportPolicy } from "./transport-choice.ts";
import { memoryKnownRelays, RelayTrust } from "./trust.ts";
import { linkLimits } from "@porthole/common/link";
import { limits as tunnelLimits } from "./limits.ts";

type World = { say(kind: Kind, message: ControlMessage): void; exhaustion(kind: Kind, exhaustion: number): void };
type Kind = "quic" | "http2";

interface Tickets {
  /** What each QUIC handshake began with. */
  readonly begun: string[];
  /** What was asked for: a ticket for the present address, or for anywhere. */
  readonly asked: string[];
  /** Whether the relay has QUIC at present. */
  offered: boolean;
}

/** What a dialled relay does; dialling itself may fail, too. */
type Answer = ControlMessage | PortholeError | "hang";

const refusal: ControlMessage = { type: "reject", code: "unauthorized", message: "who are you" };
const nowhere = { address: "192.0.2.1", port: 1 };
const unreachable = new PortholeError("unreachable", "no route");
const untrusted = new PortholeError("untrusted", "somebody else");

describe("one endpoint's links with one relay", () => {
  let endpoint: Endpoint;
  before(async () => {
    const local = parseLocalService("3000");
    const context = { clock: new FakeClock(), log: silentLogger };
    endpoint = await Endpoint.create({ role: "primary", key, local, ...context });
  });

  /** A relay that can be told what to answer, per transport, and the client that dials it. */
  function world(policy: TransportPolicy, first: Partial<Record<Kind, Answer>> = {}, quic = true) {
    const clock = new FakeClock();
    const stop = new AbortController();
    const answers: Record<Kind, Answer> = { quic: welcome, http2: welcome, ...first };
    const dials: Record<Kind, number> = { quic: 0, http2: 0 };
    const links: Record<Kind, Set<Link>> = { quic: new Set(), http2: new Set() };
    const transports: Record<
      Kind,
      Set<{ readonly relay: TransportConnection; readonly client: TransportConnection }>
    > = {
      quic: new Set(),
      http2: new Set(),
    };
    const statuses: RelayStatus[] = [];
    const hellos: Hello[] = [];
    const tickets: Tickets = { begun: [], asked: [], offered: true };
    let tokensUsed = 0;

    async function dial(kind: Kind, signal: AbortSignal): Promise<TransportConnection> {
      dials[kind] += 1;
      const answer = answers[kind];
      if (answer instanceof PortholeError) throw answer;
      if (answer === "hang")
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        );
      const pair = memoryConnectionPair();
      Object.defineProperty(pair.client, "kind", { value: kind });
      const link = createLink(pair.relay, { clock, heartbeat: "watch" });
      links[kind].add(link);
      transports[kind].add(pair);
      void link.closed.then(() => {
        links[kind].delete(link);
        transports[kind].delete(pair);
      });
      void serve(link, answer, hellos, tickets);
      return pair.client;
    }

    const dialers: Dialers = {
      http2: (_target, { signal }) => dial("http2", signal),
      quic: quic
        ? {
            available: true,
            dial: (target, { signal }) => {
              tickets.begun.push(target.sourceId?.toString("hex") ?? "none");
              return dial("quic", signal);
            },
          }
        : { available: false, reason: "no binary" },
    };
    const client = new RelayClient(
      {
        server: { text: "relay:4433", host: "relay", port: 4433, token: new Secret("one-time") },
        name: "myapp",
        onTokenUsed: () => (tokensUsed += 1),
        endpoint,
        trust: new RelayTrust("relay:4433", { kind: "insecure" }, memoryKnownRelays()),
        dialers,
        transport: policy,
        poolSize: 4,
        software: "test",
        instance: "one",
        clock,
        log: silentLogger,
        onStatus: (status) => statuses.push(status),
        onRequest: () => {},
        onVisit: () => {},
      },
      stop.signal,
    );
    const over = client.run();
    return {
      clock,
      client,
      answers,
      dials,
      statuses,
      hellos,
      tokensUsed: () => tokensUsed,
      tickets,
      over,
      /** How many links are up: QUIC's and HTTP/2's. */
      up: () => [links.quic.size, links.http2.size],
      now: () => statuses.at(-1),
      /** Whatever is possible without time passing happens. */
      async settle() {
        for (let i = 0; i < 40; i++) await clock.advance(0);
      },
      /** On the links that there are now neither side hears anything any more. */
      darken(kind: Kind, isDark: boolean) {
        for (const { control } of [...transports[kind]].flatMap(({ relay, client: transport }) => [relay, transport])) {
          if (isDark) control.pause();
          else control.resume();
        }
      },
      say(kind: Kind, message: ControlMessage) {
        for (const link of links[kind]) link.control.send(message);
      },
      exhaustion(kind: Kind, exhaustion: number) {
        for (const { client: transport } of transports[kind])
          Object.assign(transport, { exhaustion: () => exhaustion });
      },
      /** A visitor on the first link, who stays. */
      visit(kind: Kind) {
        const [link] = links[kind];
        const stream = (link as Link).openStream();
        stream.on("error", () => {});
        stream.write(encodeProxyHeader({ source: nowhere, destination: nowhere }));
        return stream;
      },
      lose(kind: Kind) {
        for (const link of links[kind]) link.destroy(new PortholeError("closed", "pulled the plug"));
      },
      async end() {
        stop.abort(new PortholeError("aborted", "The test is over"));
        await this.settle();
        await over;
        assert.deepEqual(this.up(), [0, 0]);
        assert.equal(clock.pending, 0, "a timer is left");
      },
    };
  }

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
    it.client.recheck();
    await it.clock.advance(linkLimits.linkSilence.deadMs);
    assert.ok(it.dials.quic > 1);
    await it.clock.advance(3_600_000);
    const { quic } = it.dials;
    assert.ok(quic > 3_600 / 60, `${quic} attempts in an hour`);
    await it.end();
  });

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
    it.client.recheck();
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
    it.client.recheck();
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
      it.client.recheck();
      await it.clock.advance(0);
      if (it.dials.http2 > 1) break;
    }
    assert.ok(it.dials.http2 > 1, "it has looked once more");
    await it.settle();
    assert.deepEqual(it.up(), [1, 0]);
    await it.end();
  });

  it("can be stopped before it has begun", async () => {
    const it = world("auto");
    await it.end();
    assert.deepEqual(it.now(), { status: "stopped" });
  });
});

/** Answers hello, and ends the link of a client that says goodbye. */
async function serve(link: Link, answer: ControlMessage, hellos: Hello[], tickets: Tickets): Promise<void> {
  for (let message = await link.control.next(); message; message = await link.control.next()) {
    if (message.type === "hello") {
      hellos.push(message);
      link.control.send(answer.type === "welcome" ? offering(answer, tickets) : answer);
    }
    if (message.type === "ticket-request") {
      tickets.asked.push(message.anywhere ? "anywhere" : "here");
      link.control.send({ type: "ticket", ...offer(tickets, "asked for") });
    }
    if (message.type === "goodbye") await link.idle();
    if (message.type === "goodbye" || answer.type === "reject")
      await link.close(new PortholeError("closed", "as you like"));
  }
}

const fromWelcome = "01".repeat(20);
const askedFor = "02".repeat(20);

function offer(tickets: Tickets, which: "from welcome" | "asked for") {
  if (!tickets.offered) return {};
  return { ticket: { quic: which === "asked for" ? askedFor : fromWelcome, lifetimeMs: 600_000 } };
}

function offering(welcome: Extract<ControlMessage, { type: "welcome" }>, tickets: Tickets): ControlMessage {
  return { ...welcome, ...offer(tickets, "from welcome") };
}
