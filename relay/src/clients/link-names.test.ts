import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import {
  checkedSignature,
  createCertificate,
  formatGrant,
  generateKey,
  grantText,
  maxDelegationMs,
  proveKey,
  type IdentityKey,
} from "@porthole/common/identity";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { readOptions } from "@porthole/common/options";
import { silentLogger } from "@porthole/common/log";
import type { ControlMessage, Exposed, Hello, Welcome } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing";
import { Usage } from "../accounting/index.ts";
import type { AdmissionRequest, Grant } from "../admission/index.ts";
import { relayConfig } from "../config/config.ts";
import { relayOptions } from "../config/options.ts";
import { ClientGate, type RelayLimits } from "../limits/index.ts";
import { Metrics } from "../monitoring/metrics.ts";
import { serveClient } from "./client-session.ts";
import { limits } from "./limits.ts";
import { createRegistry, type Registry } from "./registry.ts";

const [owner, web, api] = [generateKey(), generateKey(), generateKey()];
const hello: Hello = { type: "hello", protocol: 1, software: "test", instance: "one" };

function certificateOf(key: IdentityKey) {
  return createCertificate({ key, dnsNames: [], notBefore: new Date(), days: 1 });
}

const nameOf = (key: IdentityKey): string => `${key.clientId}.localhost`;

describe("the names of a link", () => {
  let clock: FakeClock;
  let registry: Registry;
  let usage: Usage;
  let gate: ClientGate;
  let folder: string;
  let requests: AdmissionRequest[];
  /** Fingerprints that are not admitted, or not any more. */
  let denied: Set<string>;
  let max: Partial<RelayLimits>;
  let challenges: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-names-"));
  });
  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    clock = new FakeClock();
    const unlimited = { bytesPerMonth: 0, bandwidth: 0 };
    usage = await Usage.open(join(folder, "usage.json"), { clock, log: silentLogger, limits: () => unlimited });
    registry = createRegistry();
    max = {};
    const defaults = relayConfig(readOptions(relayOptions, [], {}).values).limits;
    gate = new ClientGate({ clock, limits: () => ({ ...defaults, ...max }), onLimit: () => {} });
    requests = [];
    denied = new Set();
    challenges = [];
  });

  afterEach(async () => {
    await usage.close();
    assert.deepEqual(registry.count(), { clients: 0, links: 0, streams: 0 });
    assert.deepEqual(registry.all(), []);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  async function admit(request: AdmissionRequest): Promise<Grant> {
    requests.push(request);
    const { fingerprint, clientId } = request.peer;
    const revocationReason = () =>
      denied.has(fingerprint) ? new PortholeError("unauthorized", "not you", { hint: "Ask." }) : undefined;
    const refusal = revocationReason();
    if (refusal) throw refusal;
    const hostname = `${request.name ?? clientId}.${request.suffix}`;
    return {
      hostname,
      owner: request.owner?.fingerprint ?? fingerprint,
      isExternallyAuthorized: false,
      revocationReason,
    };
  }

  /** A link that is known by the owner's key. */
  async function connect(part: Partial<Hello> = { bare: true }, key = owner) {
    const pair = memoryConnectionPair({ clientAddress: "127.0.0.1", clientCertificate: certificateOf(key).der });
    const { signal } = new AbortController();
    const over = serveClient(pair.relay, gate.enter("127.0.0.1"), {
      ...{ clock, registry, usage, signal, log: silentLogger, admission: { admit } },
      metrics: new Metrics(() => assert.fail("nobody asks")),
      record: () => {},
      quotas: { take: async () => {}, left: async () => ({ all: 30, own: 3 }) },
      ticket: () => undefined,
      suffixes: ["localhost", "two.example"],
      publicPort: 8443,
      software: "relay/test",
      refusal: () => undefined,
    });
    const link = createLink(pair.client, { clock, heartbeat: "send" });
    link.control.send({ ...hello, ...part });
    const welcome = (await link.control.next()) as Welcome;
    assert.equal(welcome.type, "welcome");
    challenges.push(welcome.names?.challenge ?? "");
    return { link, over, welcome, key };
  }
  type Connected = Awaited<ReturnType<typeof connect>>;

  function proof({ key: { fingerprint }, welcome }: Connected, key: IdentityKey): string {
    return proveKey(key, certificateOf(key).pem, { fingerprint, challenge: welcome.names?.challenge ?? "" });
  }

  async function expose(to: Connected, key: IdentityKey, part: { suffix?: string; name?: string } = {}) {
    to.link.control.send({ type: "expose", proof: proof(to, key), ...part });
    return to.link.control.next();
  }

  async function leave(...all: readonly { readonly link: Link; readonly over: Promise<void> }[]): Promise<void> {
    for (const { link } of all) await link.close(new PortholeError("closed", "The test is over"));
    await Promise.all(all.map(({ over }) => over));
  }

  it("are each admitted by itself, for the owner of the link, and lead to it", async () => {
    const client = await connect();
    assert.deepEqual(client.welcome.hostnames, []);
    assert.equal(registry.find(nameOf(owner)).length, 0);
    for (const [key, part, hostname] of [
      [web, {}, nameOf(web)],
      [api, { name: "app", suffix: "two.example" }, "app.two.example"],
      [owner, {}, nameOf(owner)],
    ] as const) {
      const answer = await expose(client, key, part);
      assert.deepEqual(answer, { type: "exposed", clientId: key.clientId, hostnames: [hostname] });
      const [found] = registry.find(hostname);
      assert.deepEqual([found?.clientId, found?.owner], [key.clientId, owner.fingerprint]);
    }
    assert.deepEqual(
      requests.map(({ peer, owner: by }) => [peer.fingerprint, by?.fingerprint]),
      [owner, web, api, owner].map(({ fingerprint }, index) => [
        fingerprint,
        index === 0 ? undefined : owner.fingerprint,
      ]),
    );
    assert.deepEqual(registry.count(), { clients: 3, links: 1, streams: 0 });
    await leave(client);
  });

  it("end with a key's grant, unless another one came before", async () => {
    const client = await connect();
    const grant = (until: number): string => {
      const text = grantText(owner.fingerprint, until);
      return formatGrant(web, checkedSignature(web, text, sign("sha256", Buffer.from(text), web.privateKey)), until);
    };
    async function ask(until: number) {
      client.link.control.send({ type: "expose", proof: grant(until) });
      return client.link.control.next();
    }
    const start = clock.now();
    const exposed = { type: "exposed", clientId: web.clientId, hostnames: [nameOf(web)] };
    assert.deepEqual(await ask(start + 60_000), exposed);
    assert.deepEqual(await ask(start + 120_000), exposed);
    await clock.advance(60_000);
    assert.equal(registry.find(nameOf(web)).length, 1);
    const told = client.link.control.next();
    await clock.advance(60_000);
    const { code, hostnames, retryAfterMs } = (await told) as Exposed;
    assert.deepEqual([code, hostnames, retryAfterMs], ["unauthorized", [], 1_000]);
    assert.equal(registry.find(nameOf(web)).length, 0);
    for (const until of [clock.now(), clock.now() + maxDelegationMs * 2])
      assert.equal(((await ask(until)) as Exposed).code, "unauthorized");
    assert.deepEqual(await ask(clock.now() + 60_000), exposed);
    await leave(client);
  });

  it("include that of the link's own key, until it is taken back", async () => {
    const client = await connect({});
    assert.deepEqual(client.welcome.hostnames, [nameOf(owner)]);
    await expose(client, web);
    client.link.control.send({ type: "unexpose", clientId: owner.clientId });
    assert.deepEqual(await client.link.control.next(), { type: "exposed", clientId: owner.clientId, hostnames: [] });
    assert.deepEqual([registry.find(nameOf(owner)).length, registry.find(nameOf(web)).length], [0, 1]);
    await expose(client, owner);
    assert.equal(registry.find(nameOf(owner)).length, 1);
    client.link.control.send({ type: "unexpose", clientId: web.clientId });
    await client.link.control.next();
    assert.deepEqual(registry.count(), { clients: 1, links: 1, streams: 0 });
    await leave(client);
  });

  it("get certificates like any other", async () => {
    const client = await connect();
    await expose(client, web);
    for (const [hostname, code] of [
      [nameOf(web), undefined],
      [nameOf(owner), "name"],
      [nameOf(api), "name"],
    ]) {
      client.link.control.send({ type: "issuance-request", hostname: hostname ?? "" });
      const answer = await client.link.control.next();
      assert.equal(answer?.type === "issuance" ? answer.code : "none", code);
    }
    await leave(client);
  });

  it("are refused one by one, with the reason, and the others stay", async () => {
    const client = await connect();
    await expose(client, web);
    denied.add(api.fingerprint);
    const refused = {
      type: "exposed",
      clientId: api.clientId,
      hostnames: [],
      code: "unauthorized",
      message: "not you. Ask.",
    };
    assert.deepEqual(await expose(client, api), refused);
    const elsewhere = await expose(client, generateKey(), { suffix: "three.example" });
    assert.equal(elsewhere?.type === "exposed" && elsewhere.code, "name");
    assert.equal(registry.find(nameOf(web)).length, 1);
    await leave(client);
  });

  it("are revoked one by one; with the link's own key all go", async () => {
    const client = await connect();
    for (const key of [web, api]) await expose(client, key);
    const revoke = (key: IdentityKey): void => {
      denied.add(key.fingerprint);
      for (const each of registry.all()) {
        const reason = each.revocationReason();
        if (!reason) continue;
        registry.remove(each);
        each.dismiss(reason);
      }
    };
    revoke(web);
    const told = {
      type: "exposed",
      clientId: web.clientId,
      hostnames: [],
      code: "unauthorized",
      message: "not you. Ask.",
    };
    assert.deepEqual(await client.link.control.next(), told);
    assert.deepEqual([registry.find(nameOf(web)).length, registry.find(nameOf(api)).length], [0, 1]);
    revoke(owner);
    assert.equal((await client.link.control.next())?.type, "reject");
    await client.over;
  });

  const thefts: readonly [string, (here: Connected, elsewhere: Connected) => string][] = [
    ["by a proof for another link of the same key", (_here, elsewhere) => proof(elsewhere, web)],
    ["by a proof for a link of another key", (here) => proof({ ...here, key: generateKey() }, web)],
    [
      "with a signature of the thief's",
      (here) => `${proof(here, web).split(".")[0]}.${proof(here, api).split(".")[1]}`,
    ],
    ["without a signature", (here) => `${proof(here, web).split(".")[0]}.`],
    ["with nonsense", () => "x"],
  ];
  for (const [how, steal] of thefts) {
    it(`can't be stolen ${how}: the link ends`, async () => {
      const [here, elsewhere] = [await connect(), await connect()];
      assert.notEqual(challenges[0], challenges[1]);
      here.link.control.send({ type: "expose", proof: steal(here, elsewhere) });
      await here.over;
      assert.equal(registry.find(nameOf(web)).length, 0);
      assert.equal(requests.length, 2);
      await leave(elsewhere);
    });
  }

  it("are shared by two links, and each process learns of the other", async () => {
    const [one, two] = [await connect(), await connect({ bare: true, instance: "two" })];
    for (const each of [one, two]) await expose(each, web);
    const told: ControlMessage = { type: "instances", others: 1, clientId: web.clientId };
    assert.deepEqual(await one.link.control.next(), told);
    assert.equal(registry.find(nameOf(web))[0]?.instance, "two");
    await leave(two);
    assert.deepEqual(await one.link.control.next(), { ...told, others: 0 });
    await leave(one);
  });

  it("lead nowhere after the client's goodbye, and no more are taken", async () => {
    const client = await connect();
    await expose(client, web);
    const stream = registry.find(nameOf(web))[0]?.link.openStream();
    stream?.on("error", () => {});
    client.link.control.send({ type: "goodbye", reason: "enough" });
    const late = await expose(client, api);
    assert.equal(late?.type === "exposed" && late.code, "closed");
    assert.deepEqual(registry.all(), []);
    stream?.destroy();
    await leave(client);
  });

  it("count as links of their keys do, for each key and each address", async () => {
    max = { linksPerClient: 1 };
    const [one, two] = [await connect(), await connect({ bare: true }, api)];
    await expose(one, web);
    const second = await expose(two, web);
    assert.equal(second?.type === "exposed" && second.code, "busy");
    one.link.control.send({ type: "unexpose", clientId: web.clientId });
    await one.link.control.next();
    assert.deepEqual((await expose(two, web))?.type === "exposed" && registry.find(nameOf(web)).length, 1);
    max = { linksPerAddress: 3 };
    const third = await expose(one, generateKey());
    assert.equal(third?.type === "exposed" && third.code, "busy");
    await leave(one, two);
  });

  it("are so many at most, and the rest are refused without a question", async function () {
    this.timeout(20_000);
    max = { linksPerAddress: 0 };
    const client = await connect();
    const keys = Array.from({ length: limits.namesPerLink + 1 }, () => generateKey());
    const answers: ControlMessage[] = [];
    for (const key of keys) answers.push((await expose(client, key)) as ControlMessage);
    assert.equal(answers.filter((answer) => answer.type === "exposed" && !answer.code).length, limits.namesPerLink);
    assert.equal(answers.at(-1)?.type === "exposed" && (answers.at(-1) as { code?: string }).code, "limit");
    assert.equal(requests.length, 1 + limits.namesPerLink);
    // Asking on costs the link.
    for (let i = 0; i < limits.exposes.atOnce; i++) client.link.control.send({ type: "unexpose", clientId: "nobody" });
    await client.over;
  });
});
