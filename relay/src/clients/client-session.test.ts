import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { linkLimits } from "@porthole/common/link";
import type { ControlMessage, Welcome } from "@porthole/common/protocol";
import { key, hello, quotas, useClientSession } from "./fixture.test.ts";

describe("the relay's side of a client", () => {
  const session = useClientSession();
  const { connect, admitted, admittedFrom, leave } = session;

  it("is recorded: its coming and going, and why it was refused", async () => {
    const { link, over } = await admitted();
    await leave(link);
    await over;
    const { link: refused, over: end } = connect({
      admission: { admit: () => Promise.reject(new PortholeError("unauthorized", "go away")) },
    });
    refused.control.send(hello);
    await end;
    assert.deepEqual(
      session.events.map(({ type, address, names, code }) => [type, address, names?.length, code]),
      [
        ["connected", "127.0.0.1", 1, undefined],
        ["disconnected", "127.0.0.1", undefined, "closed"],
        ["refused", "127.0.0.1", undefined, "unauthorized"],
      ],
    );
  });

  it("is welcomed with its name, and found under it", async () => {
    const { link, over } = connect({ suffixes: ["one.example", "two.example"] });
    link.control.send({ ...hello, suffix: "Two.Example" });
    const { type, ...welcome } = (await link.control.next()) as ControlMessage;
    assert.equal(type, "welcome");
    const { names, ...others } = welcome as Welcome;
    assert.match(names?.challenge ?? "", /^[0-9a-f]{64}$/);
    assert.equal(names?.max, 100);
    assert.deepEqual(others, {
      clientId: key.clientId,
      hostnames: [`${key.clientId}.two.example`],
      publicPort: 8443,
      limits: { maxStreams: linkLimits.maxStreamsPerLink },
      software: "relay/test",
      observedAddress: "127.0.0.1",
    });
    assert.equal(session.registry.find(`${key.clientId}.two.example`).length, 1);
    await leave(link);
    await over;
    assert.equal(session.registry.find(`${key.clientId}.two.example`).length, 0);
  });

  it("is gone from where it was before in a moment, but only from another address and only what says nothing", async () => {
    const [there, gone] = [await admittedFrom("192.0.2.1"), await admittedFrom("192.0.2.1")];
    const cutOff = await admittedFrom("192.0.2.2");
    for (const { control } of [gone, cutOff]) control.pause().cork();
    const moved = await admittedFrom("192.0.2.2");
    await session.clock.advance(linkLimits.linkSilence.movedMs);
    await gone.over;
    assert.equal(session.registry.find(`${key.clientId}.localhost`).length, 3);
    await session.clock.advance(linkLimits.linkSilence.deadMs);
    await cutOff.over;
    assert.equal(session.registry.find(`${key.clientId}.localhost`).length, 2);
    await Promise.all([leave(there.link), leave(moved.link)]);
    await Promise.all([there.over, moved.over]);
  });

  it("gets no new visitors after its goodbye, and leaves when the present ones are through", async () => {
    const { link, over } = await admitted();
    const visitor = session.registry.find(`${key.clientId}.localhost`)[0]?.link.openStream();
    visitor?.resume();
    const { value: stream } = await link.incoming[Symbol.asyncIterator]().next();
    link.control.send({ type: "goodbye", reason: "enough" });
    await session.clock.advance(0);
    await session.clock.advance(0);
    assert.equal(session.registry.find(`${key.clientId}.localhost`).length, 0);
    let isOver = false;
    void link.closed.then(() => {
      isOver = true;
    });
    await session.clock.advance(0);
    assert.equal(isOver, false);
    visitor?.end();
    stream?.end();
    stream?.resume();
    await over;
    assert.match(session.lines.at(-1) ?? "", /^Client disconnected: The client said goodbye: enough/);
  });

  it("may be in two processes at once, which the log tells", async () => {
    const one = await admitted();
    const two = await admitted({}, "two");
    assert.equal(session.registry.count().links, 2);
    assert.ok(session.lines.includes("Another process with the same key is connected; both serve"));
    await Promise.all([leave(one.link), leave(two.link)]);
    await Promise.all([one.over, two.over]);
  });

  it("learns that the relay stops, and that it was no accident", async () => {
    const { link, over } = await admitted();
    session.stop.abort(new PortholeError("draining", "The relay stops"));
    assert.deepEqual(await link.control.next(), { type: "drain", reason: "The relay stops", deadlineMs: 0 });
    await over;
  });

  it("loses its link when it says what only the relay says", async () => {
    const { link, over } = await admitted();
    link.control.send({ type: "drain", reason: "", deadlineMs: 0 });
    await over;
    await link.closed;
    assert.match(session.lines.at(-1) ?? "", /The client sent drain in the middle of a session/);
  });

  it("gets quotas for its own names only, and hears when there is none", async () => {
    const busy = new PortholeError("busy", "none left today", { retryAfterMs: 60_000 });
    const mine = `${key.clientId}.localhost`;
    for (const [hostname, office, expected] of [
      [mine, quotas(), { left: 3 }],
      ["other.localhost", quotas(), { code: "name", message: "other.localhost is not a name of this client" }],
      [mine, quotas(busy), { code: "busy", message: "none left today", retryAfterMs: 60_000 }],
    ] as const) {
      const { link, over } = await admitted({ quotas: office });
      link.control.send({ type: "issuance-request", hostname });
      assert.deepEqual(await link.control.next(), { type: "issuance", hostname, ...expected });
      await leave(link);
      await over;
    }
  });

  it("can be refused later, with the reason", async () => {
    const { link, over } = await admitted();
    const client = session.registry.all()[0];
    assert.ok(client);
    client.dismiss(new PortholeError("unauthorized", "not any more"));
    assert.deepEqual(await link.control.next(), { type: "reject", code: "unauthorized", message: "not any more" });
    await over;
  });
});
