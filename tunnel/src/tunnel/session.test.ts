import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type Link, type LinkStream } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { limits, type ControlMessage, type Hello } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing/fake-clock";
import { key, welcome } from "./fixture.test.ts";
import { openSession, type Session } from "./session.ts";
import { limits as tunnelLimits } from "./limits.ts";

const hello: Hello = { type: "hello", protocol: 1, software: "test", instance: "one" };

describe("the client's session with a relay", () => {
  let clock: FakeClock;
  let stop: AbortController;
  let relay: Link;
  let opened: Promise<Session>;
  let streams: LinkStream[];

  beforeEach(() => {
    clock = new FakeClock();
    stop = new AbortController();
    streams = [];
    const pair = memoryConnectionPair();
    relay = createLink(pair.relay, { clock, heartbeat: "watch" });
    opened = openSession(pair.client, { clock, hello, key, onStream: (stream) => streams.push(stream) }, stop.signal);
    opened.catch(() => {});
  });

  afterEach(async () => {
    await relay.close(new PortholeError("closed", "The test is over"));
    await clock.advance(0);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  async function admitted(): Promise<Session> {
    assert.deepEqual(await relay.control.next(), hello);
    relay.control.send(welcome);
    return opened;
  }

  it("begins with hello and welcome", async () => {
    const session = await admitted();
    assert.deepEqual(session.welcome, welcome);
  });

  const refusals: readonly [string, ControlMessage, string, RegExp][] = [
    ["a refusal", { type: "reject", code: "name", message: "taken" }, "name", /^The relay refused: taken$/],
    ["a code that is not known yet", { type: "reject", code: "tax", message: "pay" }, "unauthorized", /pay$/],
    ["a relay about to stop", { type: "drain", reason: "restart", deadlineMs: 0 }, "draining", /restart$/],
    ["nonsense", hello, "protocol", /answered hello with hello/],
    ["no name", { ...welcome, hostnames: [] }, "protocol", /no host name/],
    ["a name that is none", { ...welcome, hostnames: ["a_b.c"] }, "protocol", /no host name, but \["a_b\.c"\]/],
    ["another client's id", { ...welcome, clientId: "b".repeat(26) }, "protocol", /another client/],
    ["another client's name", { ...welcome, hostnames: ["bank.localhost"] }, "protocol", /not ask for: \["bank/],
    [
      "our name and another one",
      { ...welcome, hostnames: [...welcome.hostnames, "bank.localhost"] },
      "protocol",
      /did not ask for/,
    ],
    [
      "our name under many suffixes",
      { ...welcome, hostnames: [1, 2, 3, 4, 5].map((n) => `${key.clientId}.n${n}.test`) },
      "protocol",
      /5 names, more than 4/,
    ],
  ];
  for (const [what, message, code, text] of refusals) {
    it(`does not begin with ${what}`, async () => {
      relay.control.send(message);
      await assert.rejects(opened, { code, message: text });
      await relay.closed;
    });
  }

  it("hears when it is welcome again", async () => {
    relay.control.send({ type: "reject", code: "busy", message: "full", retryAfterMs: 7_000 });
    await assert.rejects(opened, { code: "busy", retryAfterMs: 7_000, retryable: true });
  });

  it("does not begin when the relay says nothing, or goes", async () => {
    await clock.advance(limits.admissionDeadlineMs);
    await assert.rejects(opened, { code: "timeout" });
    await relay.closed;
  });

  it("does not begin when the relay goes", async () => {
    relay.destroy(new PortholeError("closed", "gone"));
    await assert.rejects(opened, { code: "closed" });
  });

  it("does not begin when the user has had enough", async () => {
    const reason = new PortholeError("aborted", "enough");
    stop.abort(reason);
    await assert.rejects(opened, reason);
    await relay.closed;
  });

  it("serves streams, also those that came before it served", async () => {
    const session = await admitted();
    relay.openStream().write("early");
    const served = session.serve(stop.signal);
    relay.openStream().write("late");
    await clock.advance(0);
    assert.equal(streams.length, 2);
    await relay.close(new PortholeError("closed", "over"));
    await served;
  });

  for (const [what, message, code] of [
    ["stops", { type: "drain", reason: "restart", deadlineMs: 0 }, "draining"],
    ["throws it out", { type: "reject", code: "unauthorized", message: "not any more" }, "unauthorized"],
  ] as const) {
    it(`ends with the relay's own word when it ${what}`, async () => {
      const served = (await admitted()).serve(stop.signal);
      relay.control.send(message);
      await relay.close(new PortholeError("closed", "the connection ended"));
      assert.equal((await served).code, code);
    });
  }

  it("hears the relay's own word also when everything has come before it served", async () => {
    relay.control.send(welcome);
    for (let i = 0; i < 5; i++) relay.control.send({ type: "ticket" });
    relay.control.send({ type: "reject", code: "unauthorized", message: "not any more" });
    const session = await opened;
    await relay.close(new PortholeError("closed", "the connection ended"));
    await session.link.closed;
    assert.equal((await session.serve(stop.signal)).code, "unauthorized");
  });

  it("ends with a relay that says what only a client says", async () => {
    const served = (await admitted()).serve(stop.signal);
    relay.control.send({ type: "goodbye", reason: "" });
    assert.equal((await served).code, "protocol");
  });

  it("says goodbye when it is stopped, and when it is retired", async () => {
    const session = await admitted();
    session.retire("QUIC carries the traffic");
    assert.deepEqual(await relay.control.next(), { type: "goodbye", reason: "QUIC carries the traffic" });
    const reason = new PortholeError("aborted", "enough");
    const served = session.serve(stop.signal);
    stop.abort(reason);
    assert.deepEqual(await relay.control.next(), { type: "goodbye", reason: "stopped" });
    await assert.rejects(served, reason);
    await relay.closed;
  });

  it("asks for quotas and hears the answer, nothing in time, or the end of the link", async () => {
    const session = await admitted();
    const served = session.serve(stop.signal);
    const { signal } = new AbortController();
    const [hostname = ""] = welcome.hostnames;
    const ask = async (): Promise<Promise<number | undefined>[]> => {
      const answer = session.requestIssuance(hostname, signal);
      answer.catch(() => {});
      assert.deepEqual(await relay.control.next(), { type: "issuance-request", hostname });
      // In a list, because a promise of a promise is awaited at once.
      return [answer];
    };
    let [answer] = await ask();
    relay.control.send({ type: "issuance", hostname, left: 2 });
    assert.equal(await answer, 2);
    [answer] = await ask();
    relay.control.send({ type: "issuance", hostname, code: "busy", message: "none left", retryAfterMs: 9 });
    await assert.rejects(answer as Promise<unknown>, { code: "busy", retryAfterMs: 9 });
    [answer] = await ask();
    await clock.advance(tunnelLimits.issuanceDeadlineMs);
    await assert.rejects(answer as Promise<unknown>, { code: "timeout" });
    [answer] = await ask();
    await relay.close(new PortholeError("closed", "over"));
    await assert.rejects(answer as Promise<unknown>, { code: "closed" });
    await served;
  });
});
