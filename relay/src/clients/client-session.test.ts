import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IssuanceQuotas } from "../certificates/issuance-quotas.ts";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey, delegate } from "@porthole/common/identity";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { readOptions } from "@porthole/common/options";
import { silentLogger, type Logger } from "@porthole/common/log";
import { limits, type ControlMessage, type Hello, type Welcome } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing";
import { Usage } from "../accounting/index.ts";
import type { AdmissionRequest, Grant } from "../admission/index.ts";
import { serveClient, type ClientSessionDeps } from "./client-session.ts";
import { relayConfig } from "../config/config.ts";
import { ClientGate } from "../limits/index.ts";
import { relayOptions } from "../config/options.ts";
import type { NewEvent } from "../monitoring/events.ts";
import { Metrics } from "../monitoring/metrics.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { linkLimits } from "@porthole/common/link";

const key = generateKey();
const { der: certificate } = createCertificate({ key, dnsNames: [], notBefore: new Date(), days: 1 });
const hello: Hello = { type: "hello", protocol: 1, software: "test", instance: "one" };

describe("the relay's side of a client", () => {
  let clock: FakeClock;
  let registry: Registry;
  let metrics: Metrics;
  let gate: ClientGate;
  let stop: AbortController;
  let lines: string[];
  let events: NewEvent[];
  let folder: string;
  let usage: Usage;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-session-"));
  });
  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    clock = new FakeClock();
    usage = await Usage.open(join(folder, "usage.json"), {
      clock,
      log: silentLogger,
      limits: () => ({ bytesPerMonth: 0, bandwidth: 0 }),
    });
    registry = createRegistry();
    metrics = new Metrics(() => assert.fail("nobody asks"));
    const { limits } = relayConfig(readOptions(relayOptions, [], {}).values);
    gate = new ClientGate({ clock, limits: () => limits, onLimit: () => {} });
    stop = new AbortController();
    lines = [];
    events = [];
  });

  afterEach(async () => {
    await usage.close();
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
    assert.equal(gate.pending, 0);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  /** A client that has connected and said nothing yet; `over` when the relay has done with it. */
  function connect(
    deps: Partial<ClientSessionDeps> = {},
    clientCertificate: Buffer | null = certificate,
    clientAddress = "127.0.0.1",
  ) {
    const pair = memoryConnectionPair({ clientAddress, ...(clientCertificate ? { clientCertificate } : {}) });
    const line = (_fields: object, message: string): void => void lines.push(message);
    const log: Logger = { debug: line, info: line, warn: line, error: line };
    const pendingClient = gate.enter("127.0.0.1");
    const over = serveClient(pair.relay, pendingClient, {
      clock,
      log,
      registry,
      metrics,
      record: (event) => void events.push(event),
      admission: { admit: async ({ peer, suffix }) => grant(peer.clientId, suffix) },
      quotas: quotas(),
      usage,
      ticket: () => undefined,
      suffixes: [],
      publicPort: 8443,
      software: "relay/test",
      refusal: () => undefined,
      signal: stop.signal,
      ...deps,
    });
    return { link: createLink(pair.client, { clock, heartbeat: "send" }), over, control: pair.client.control };
  }

  async function admitted(deps: Partial<ClientSessionDeps> = {}, instance = "one") {
    const { link, over } = connect(deps);
    link.control.send({ ...hello, instance });
    assert.equal((await link.control.next())?.type, "welcome");
    return { link, over };
  }

  async function admittedFrom(address: string) {
    const client = connect({}, certificate, address);
    client.link.control.send(hello);
    assert.equal((await client.link.control.next())?.type, "welcome");
    return client;
  }

  async function leave(link: Link): Promise<void> {
    await link.close(new PortholeError("closed", "The test is over"));
  }

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
      events.map(({ type, address, names, code }) => [type, address, names?.length, code]),
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
    assert.equal(registry.find(`${key.clientId}.two.example`).length, 1);
    await leave(link);
    await over;
    assert.equal(registry.find(`${key.clientId}.two.example`).length, 0);
  });

  it("is gone from where it was before in a moment, but only from another address and only what says nothing", async () => {
    const [there, gone] = [await admittedFrom("192.0.2.1"), await admittedFrom("192.0.2.1")];
    const cutOff = await admittedFrom("192.0.2.2");
    for (const { control } of [gone, cutOff]) control.pause().cork();
    const moved = await admittedFrom("192.0.2.2");
    await clock.advance(linkLimits.linkSilence.movedMs);
    await gone.over;
    assert.equal(registry.find(`${key.clientId}.localhost`).length, 3);
    await clock.advance(linkLimits.linkSilence.deadMs);
    await cutOff.over;
    assert.equal(registry.find(`${key.clientId}.localhost`).length, 2);
    await Promise.all([leave(there.link), leave(moved.link)]);
    await Promise.all([there.over, moved.over]);
  });

  it("is judged by all that it says and proves, and gets the name that is granted", async () => {
    const requests: AdmissionRequest[] = [];
    const admission = {
      async admit(request: AdmissionRequest): Promise<Grant> {
        requests.push(request);
        return grant("myapp");
      },
    };
    const owner = generateKey();
    const { link, over } = connect({ admission });
    const delegation = delegate(owner, key.fingerprint);
    link.control.send({ ...hello, name: "MyApp", token: "one-time", delegation });
    const answer = await link.control.next();
    assert.deepEqual(answer?.type === "welcome" && answer.hostnames, ["myapp.localhost"]);
    const [request] = requests;
    assert.deepEqual(
      [request?.peer.fingerprint, request?.owner?.fingerprint, request?.name, request?.token?.reveal()],
      [key.fingerprint, owner.fingerprint, "MyApp", "one-time"],
    );
    assert.deepEqual(
      [registry.find("myapp.localhost").length, registry.find(`${key.clientId}.localhost`).length],
      [1, 0],
    );
    await leave(link);
    await over;
  });

  it("is refused when what let it in holds no more by then", async () => {
    const revoked = {
      hostname: `${key.clientId}.localhost`,
      owner: key.fingerprint,
      isExternallyAuthorized: false,
      revocationReason: () => new PortholeError("unauthorized", "revoked"),
    };
    const { link, over } = connect({ admission: { admit: async () => revoked } });
    link.control.send(hello);
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.message, "revoked");
    await over;
  });

  it("is refused when the relay has begun to stop by then, which it would not be told any more", async () => {
    let isStopping = false;
    const { link, over } = connect({
      refusal: () => (isStopping ? new PortholeError("draining", "this relay is being stopped") : undefined),
      admission: {
        async admit({ peer }) {
          isStopping = true;
          return grant(peer.clientId);
        },
      },
    });
    link.control.send(hello);
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.code, "draining");
    await over;
  });

  it("is refused with a delegation for somebody else's key", async () => {
    const { link, over } = connect();
    link.control.send({ ...hello, delegation: delegate(generateKey(), generateKey().fingerprint) });
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.code, "protocol");
    await over;
  });

  const denied = async (): Promise<Grant> => {
    throw new PortholeError("unauthorized", "not you", { hint: "Ask.", retryAfterMs: 5_000 });
  };
  const cases: readonly [string, Partial<ClientSessionDeps>, ControlMessage, object][] = [
    ["does not say hello first", {}, { type: "goodbye", reason: "" }, { code: "protocol" }],
    ["speaks an older version", {}, { ...hello, protocol: 0 }, { code: "version" }],
    [
      "wants a suffix of somebody else",
      { suffixes: ["one.example"] },
      { ...hello, suffix: "two.example" },
      { code: "name", message: 'the suffix "two.example" is not served here; try one.example' },
    ],
    [
      "is not let in",
      { admission: { admit: denied } },
      hello,
      { code: "unauthorized", message: "not you. Ask.", retryAfterMs: 5_000 },
    ],
  ];
  for (const [what, deps, message, expected] of cases) {
    it(`is refused when it ${what}`, async () => {
      const { link, over } = connect(deps);
      link.control.send(message);
      const answer = (await link.control.next()) as ControlMessage;
      assert.equal(answer.type, "reject");
      assert.deepEqual({ ...answer, ...expected }, answer);
      await over;
      await link.closed;
    });
  }

  it("is refused without a certificate", async () => {
    const { link, over } = connect({}, null);
    link.control.send(hello);
    const answer = await link.control.next();
    assert.equal(answer?.type === "reject" && answer.code, "protocol");
    await over;
  });

  for (const [what, deps, says] of [
    ["says nothing", {}, undefined],
    ["is being judged for too long", { admission: { admit: () => new Promise<Grant>(() => {}) } }, hello],
  ] as const) {
    it(`is sent away at the deadline when it ${what}`, async () => {
      const { link, over } = connect(deps);
      if (says) link.control.send(says);
      const answer = link.control.next();
      await clock.advance(limits.admissionDeadlineMs);
      const message = "The client's hello took longer than 10 s";
      assert.deepEqual(await answer, { type: "reject", code: "timeout", message });
      await over;
    });
  }

  it("gets no new visitors after its goodbye, and leaves when the present ones are through", async () => {
    const { link, over } = await admitted();
    const visitor = registry.find(`${key.clientId}.localhost`)[0]?.link.openStream();
    visitor?.resume();
    const { value: stream } = await link.incoming[Symbol.asyncIterator]().next();
    link.control.send({ type: "goodbye", reason: "enough" });
    await clock.advance(0);
    await clock.advance(0);
    assert.equal(registry.find(`${key.clientId}.localhost`).length, 0);
    let isOver = false;
    void link.closed.then(() => {
      isOver = true;
    });
    await clock.advance(0);
    assert.equal(isOver, false);
    visitor?.end();
    stream?.end();
    stream?.resume();
    await over;
    assert.match(lines.at(-1) ?? "", /^Client disconnected: The client said goodbye: enough/);
  });

  it("may be in two processes at once, which the log tells", async () => {
    const one = await admitted();
    const two = await admitted({}, "two");
    assert.equal(registry.count().links, 2);
    assert.ok(lines.includes("Another process with the same key is connected; both serve"));
    await Promise.all([leave(one.link), leave(two.link)]);
    await Promise.all([one.over, two.over]);
  });

  it("learns that the relay stops, and that it was no accident", async () => {
    const { link, over } = await admitted();
    stop.abort(new PortholeError("draining", "The relay stops"));
    assert.deepEqual(await link.control.next(), { type: "drain", reason: "The relay stops", deadlineMs: 0 });
    await over;
  });

  it("loses its link when it says what only the relay says", async () => {
    const { link, over } = await admitted();
    link.control.send({ type: "drain", reason: "", deadlineMs: 0 });
    await over;
    await link.closed;
    assert.match(lines.at(-1) ?? "", /The client sent drain in the middle of a session/);
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
    const client = registry.all()[0];
    assert.ok(client);
    client.dismiss(new PortholeError("unauthorized", "not any more"));
    assert.deepEqual(await link.control.next(), { type: "reject", code: "unauthorized", message: "not any more" });
    await over;
  });
});

function quotas(refusal?: PortholeError): IssuanceQuotas {
  return {
    async take(_name, owner) {
      assert.equal(owner, "who-joined");
      if (refusal) throw refusal;
    },
    left: async () => ({ all: 30, own: 3 }),
  };
}

function grant(label: string, suffix = "localhost"): Grant {
  return {
    hostname: `${label}.${suffix}`,
    owner: "who-joined",
    isExternallyAuthorized: false,
    revocationReason: () => undefined,
  };
}
