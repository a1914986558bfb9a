import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey, readKeyProof } from "@porthole/common/identity";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import type { Exposed, Hello, Welcome } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing/fake-clock";
import { key, welcome } from "./fixture.test.ts";
import { limits } from "./limits.ts";
import { openSession, type Session } from "./session.ts";

const hello: Hello = { type: "hello", protocol: 1, software: "test", instance: "one", bare: true };
const names = { challenge: "01".repeat(32), max: 3 };
const web = generateKey();
const certificate = createCertificate({ key: web, dnsNames: [], notBefore: new Date(), days: 1 }).pem;
const { clientId } = web;
const hostnames = [`${clientId}.localhost`];

describe("the keys that are exposed over one link", () => {
  let clock: FakeClock;
  let relay: Link;
  let served: Promise<unknown>;
  let changes: string[];
  const { signal } = new AbortController();

  beforeEach(() => {
    clock = new FakeClock();
    changes = [];
  });

  afterEach(async () => {
    await relay.close(new PortholeError("closed", "The test is over"));
    await served;
    assert.equal(clock.pending, 0, "a timer is left");
  });

  async function admitted(part: Partial<Welcome> = { hostnames: [], names }): Promise<Session> {
    const pair = memoryConnectionPair();
    relay = createLink(pair.relay, { clock, heartbeat: "watch" });
    const onNames = (id: string): void => void changes.push(id);
    const opened = openSession(pair.client, { clock, hello, key, onNames, onStream: () => {} }, signal);
    await relay.control.next();
    relay.control.send({ ...welcome, ...part });
    const session = await opened;
    served = session.serve(signal);
    return session;
  }

  function answer(part: Partial<Exposed> = {}): void {
    relay.control.send({ type: "exposed", clientId, hostnames, ...part });
  }

  /** In a list, because a promise of a promise is awaited at once. */
  function expose(session: Session, part: { readonly name?: string } = {}): readonly [Promise<void>] {
    const exposed = session.names.expose({ key: web, certificate, ...part }, signal);
    exposed.catch(() => {});
    return [exposed];
  }

  it("are proven for this link, and end when they are not wanted any more", async () => {
    const session = await admitted();
    const [exposed] = expose(session);
    const asked = await relay.control.next();
    assert.ok(asked?.type === "expose");
    const peer = readKeyProof(asked.proof, { fingerprint: key.fingerprint, challenge: names.challenge });
    assert.equal(peer.fingerprint, web.fingerprint);
    answer();
    await exposed;
    assert.deepEqual(session.names.of(clientId), { hostnames, others: 0 });
    relay.control.send({ type: "instances", others: 2, clientId });
    await clock.advance(0);
    assert.equal(session.names.of(clientId)?.others, 2);
    const ended = session.names.unexpose(clientId, signal);
    assert.equal(session.names.of(clientId), undefined);
    assert.deepEqual(await relay.control.next(), { type: "unexpose", clientId });
    answer({ hostnames: [] });
    await ended;
  });

  it("do not mix answers up, also where nobody waits any more", async () => {
    const session = await admitted();
    const [late] = expose(session);
    await clock.advance(limits.exposeDeadlineMs);
    await assert.rejects(late, { code: "timeout" });
    const ended = session.names.unexpose(clientId, signal);
    const [again] = expose(session);
    for (const each of [{ code: "busy", hostnames: [] }, { hostnames: [] }, {}]) answer(each);
    await ended;
    await again;
    assert.deepEqual(session.names.of(clientId)?.hostnames, hostnames);
  });

  it("are refused with the relay's reason, and are revoked with it", async () => {
    const session = await admitted();
    const [refused] = expose(session);
    answer({ hostnames: [], code: "busy", message: "full", retryAfterMs: 9 });
    await assert.rejects(refused, { code: "busy", retryAfterMs: 9 });
    const [exposed] = expose(session);
    answer();
    await exposed;
    answer({ hostnames: [], code: "unauthorized", message: "not any more" });
    await clock.advance(0);
    assert.deepEqual(changes, [clientId]);
    assert.equal(session.names.of(clientId), undefined);
    assert.equal(session.names.takeRefusal(clientId)?.code, "unauthorized");
    assert.equal(session.names.takeRefusal(clientId), undefined);
  });

  for (const [what, given] of [
    ["another's name", ["bank.localhost"]],
    ["the link's own name", [`${key.clientId}.localhost`]],
    ["too many names", [1, 2, 3, 4, 5].map((n) => `${clientId}.n${n}.test`)],
    ["a name that is none", ["a_b.c"]],
  ] as const) {
    it(`do not get ${what}: the link ends`, async () => {
      const [exposed] = expose(await admitted());
      answer({ hostnames: [...given] });
      await assert.rejects(exposed, { code: "protocol" });
      await relay.closed;
    });
  }

  it("are none that nobody has asked for", async () => {
    const session = await admitted();
    answer();
    await clock.advance(0);
    assert.equal(session.names.of(clientId), undefined);
  });

  it("are the link's own only at a relay from before that", async () => {
    const session = await admitted({});
    assert.equal(session.names.canExpose, false);
    assert.deepEqual(session.names.of(key.clientId)?.hostnames, welcome.hostnames);
    await assert.rejects(expose(session)[0], { code: "unavailable" });
  });

  it("end with the link", async () => {
    const [exposed] = expose(await admitted());
    await relay.close(new PortholeError("closed", "gone"));
    await assert.rejects(exposed, { code: "closed" });
  });
});
