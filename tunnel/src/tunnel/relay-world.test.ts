// A world for the tests of relay clients. It has the name of a test so that it is not published.
import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { parseLocalService } from "../gateway/index.ts";
import { createLink, type TransportConnection, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { silentLogger } from "@porthole/common/log";
import { encodeProxyHeader, type ControlMessage, type Hello } from "@porthole/common/protocol";
import { Secret } from "@porthole/common/util";
import { FakeClock } from "@porthole/testing/fake-clock";
import { key, welcome } from "./fixture.test.ts";
import { Endpoint } from "./endpoint.ts";
import { LinkSet } from "./link-set.ts";
import { RelayClient } from "./relay-client.ts";
import type { Dialers } from "./relay-dialer.ts";
import type { RelayStatus } from "./state.ts";
import type { TransportPolicy } from "./transport-choice.ts";
import { memoryKnownRelays, RelayTrust } from "./trust.ts";

export type World = {
  say(kind: Kind, message: ControlMessage): void;
  exhaustion(kind: Kind, exhaustion: number): void;
};
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

export const refusal: ControlMessage = { type: "reject", code: "unauthorized", message: "who are you" };
const nowhere = { address: "192.0.2.1", port: 1 };
export const unreachable = new PortholeError("unreachable", "no route");
export const untrusted = new PortholeError("untrusted", "somebody else");

/** Makes worlds, each with a relay that can be told what to answer, per transport, and the client that dials it. */
export function useRelayWorlds() {
  let endpoint: Endpoint;
  before(async () => {
    const local = parseLocalService("3000");
    const context = { clock: new FakeClock(), log: silentLogger };
    endpoint = await Endpoint.create({ role: "primary", key, local, ...context });
  });

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
    let linkSet: LinkSet | undefined;
    const client = new RelayClient(
      {
        ownLinks: (options) => (linkSet = new LinkSet(options)),
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
      recheck: () => linkSet?.recheck(),
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

  return world;
}

/** Responds to hello, and ends the link of a client that says goodbye. */
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

export const fromWelcome = "01".repeat(20);
export const askedFor = "02".repeat(20);

export function offer(tickets: Tickets, which: "from welcome" | "asked for") {
  if (!tickets.offered) return {};
  return { ticket: { quic: which === "asked for" ? askedFor : fromWelcome, lifetimeMs: 600_000 } };
}

function offering(welcome: Extract<ControlMessage, { type: "welcome" }>, tickets: Tickets): ControlMessage {
  return { ...welcome, ...offer(tickets, "from welcome") };
}
