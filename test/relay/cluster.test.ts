import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { generateKey } from "@porthole/common/identity";
import { JoinedRelays, parseInvite, type Invite } from "@porthole/common/invite";
import type { ControlMessage } from "@porthole/common/protocol";
import type { Relay } from "@porthole/relay";
import { startNats, whyNoNats, type NatsServer } from "@porthole/testing/nats";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import {
  dialLink,
  freePort,
  get,
  hello,
  listeningLog,
  needQuic,
  runCli,
  siteOf,
  soon,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
  type TestClient,
} from "@porthole/testing/end-to-end";

const secret = "a secret of at least thirty-two characters";

describe("A cluster on NATS", function () {
  this.timeout(120_000);
  const scope = useScope();
  let nats: Awaited<ReturnType<typeof startNats>> | undefined;
  let server: NatsServer;
  let clusters = 0;

  before(async function () {
    this.timeout(600_000);
    const missing = await whyNoNats();
    skipUnless(this, missing === undefined, platformReason(missing ?? ""));
    nats = await startNats();
    [server] = nats.servers as [NatsServer];
  });
  after(() => nats?.close());

  interface Member {
    readonly relay: Relay;
    readonly stateDir: string;
    readonly args: readonly string[];
    readonly lines: readonly string[];
  }

  /** Relays of a cluster of its own. Strangers are not let in. */
  async function startCluster(count: number): Promise<Member[]> {
    const name = `test-${++clusters}`;
    const seats = await Promise.all(Array.from({ length: count }, () => seatOf(name)));
    // The first one makes the key that clients pin.
    return Promise.all(seats.map((args) => startMember(args)));
  }

  async function seatOf(name: string): Promise<string[]> {
    const stateDir = await scope.folder();
    const secretPath = join(stateDir, "cluster-secret");
    await writeFile(secretPath, secret);
    await writeFile(join(stateDir, "keys"), "");
    const peerPort = await freePort();
    const cluster = ["--cluster", server.url, "--cluster-name", name, "--cluster-secret-file", secretPath];
    return [
      "--state-dir",
      stateDir,
      "--authorized-keys",
      join(stateDir, "keys"),
      "--peer-port",
      String(peerPort),
      ...cluster,
    ];
  }

  async function startMember(args: readonly string[]): Promise<Member> {
    const { log, lines } = listeningLog();
    const relay = await startTestRelay(scope, { args, log });
    return { relay, stateDir: String(args[1]), args, lines };
  }

  /** What a person types at a relay. */
  async function command({ args }: Member, ...words: string[]): Promise<string> {
    const { stdout, stderr, code } = await runCli(scope, "relay", [...words, ...commandOptions(args)]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  async function invite(member: Member, uses = 1): Promise<Invite> {
    const text = await command(member, "invite", "--json", "--uses", String(uses));
    return parseInvite((JSON.parse(text) as { readonly porthole: string }).porthole);
  }

  /** A client that has joined one relay by an invite that another has made. */
  async function startJoined(relay: Relay, made: Invite, local: string): Promise<TestClient> {
    const stateDir = await scope.folder();
    const joined = await JoinedRelays.open(stateDir);
    await joined.join({ ...made, relay: { host: "127.0.0.1", port: relay.apiPort } });
    const args = ["--state-dir", stateDir];
    return startTestClient(scope, { servers: [relay.apiPort], transport: "http2", local, args });
  }

  /** What a relay answers to a client with this invite. */
  async function ask(relay: Relay, { token }: Partial<Invite>, key = generateKey()): Promise<ControlMessage> {
    const link = await dialLink(scope, relay, "http2", key);
    link.control.send({ ...hello, test: true, ...(token ? { token: token.reveal() } : {}) });
    const answer = await soon(link.control.next(), "an answer");
    await link.close(new PortholeError("closed", "The test is over"));
    return answer ?? assert.fail("the link ended");
  }

  it("an invite of one relay is good at all, once, and clients, pins and names are everywhere", async () => {
    const members = await startCluster(3);
    const [first, second, third] = members as [Member, Member, Member];
    assert.deepEqual(new Set(members.map(({ relay }) => relay.fingerprint)).size, 1);
    const made = await invite(first);
    assert.equal(made.pin, third.relay.fingerprint);
    const attempts = [first, second, third, first, second, third].map(({ relay }) => ask(relay, made));
    const outcomes = (await Promise.all(attempts)).map(({ type }) => type);
    assert.equal(outcomes.filter((type) => type === "welcome").length, 1, outcomes.join());
    await until(() => members.every(({ relay }) => relay.report().cluster?.peers.length === 2), "all knew each other");
  });

  it("a visitor at one relay reaches a client that joined at another; revoked at a third it is gone in a second", async () => {
    const members = await startCluster(3);
    const [first, second, third] = members as [Member, Member, Member];
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const client = await startJoined(second.relay, await invite(first), service.local);
    const site = { ...(await siteOf(client)), port: third.relay.publicPort };
    await until(() => (third.relay.report().cluster?.names ?? 0) === 1, "the third relay knew the name");
    assert.equal(await get(site), "hello");
    const clientId = second.relay.report().clients[0]?.client ?? "";
    await command(first, "keys", "revoke", clientId);
    // The command has ended by now.
    const revokedAt = performance.now();
    await until(() => second.relay.counts().links === 0, "its link ended");
    assert.ok(performance.now() - revokedAt < 1_000);
    await client.stop();
  });

  it("without the engine known clients are served and come back, invites wait, and nothing is forgotten", async () => {
    const [first, second] = (await startCluster(2)) as [Member, Member];
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const [made, known] = [await invite(first, 3), generateKey()];
    assert.equal((await ask(first.relay, made, known)).type, "welcome");
    const client = await startJoined(first.relay, made, service.local);
    const site = { ...(await siteOf(client)), port: second.relay.publicPort };
    await until(() => (second.relay.report().cluster?.names ?? 0) === 1, "the other relay knew the name");
    await server.stop();
    assert.equal(await get(site), "hello");
    const answer = await ask(second.relay, made);
    assert.ok(answer.type === "reject");
    assert.ok((answer.retryAfterMs ?? 0) > 0, "it may come again");
    assert.equal((await ask(second.relay, {}, known)).type, "welcome");
    // A relay that starts now knows what it knew.
    await second.relay.close();
    const again = await startMember(second.args);
    assert.ok(
      again.lines.some((line) => /known clients are served/.test(line)),
      again.lines.join("\n"),
    );
    await server.start();
    await until(() => again.relay.report().cluster?.engine?.isConnected === true, "the engine was back");
    assert.equal((await ask(again.relay, made)).type, "welcome");
    await client.stop();
  });

  it("an engine that has lost its records is not believed", async () => {
    const [first] = (await startCluster(1)) as [Member];
    const made = await invite(first);
    await until(() => (first.relay.report().cluster?.engine?.revision ?? 0) >= 3, "the invite was known");
    await server.stop();
    await server.wipe();
    await server.start();
    const failure = (): string => first.relay.report().cluster?.engine?.failure ?? "";
    await until(() => failure().includes("has lost records"), failure);
    assert.equal((await ask(first.relay, made)).type, "reject");
  });

  it("a ticket for QUIC of one relay is good at another", async function () {
    needQuic.call(this);
    const [first, second] = (await startCluster(2)) as [Member, Member];
    const key = generateKey();
    const answer = await ask(first.relay, await invite(first), key);
    assert.ok(answer.type === "welcome");
    const ticket = Buffer.from(answer.ticket?.quic ?? "", "hex");
    const link = await dialLink(scope, second.relay, "quic", key, ticket);
    link.control.send({ ...hello, test: true });
    assert.equal((await soon(link.control.next(), "an answer"))?.type, "welcome");
    await link.close(new PortholeError("closed", "The test is over"));
  });

  it("a relay that is removed ends, and one with another secret learns nothing", async () => {
    const [first, second] = (await startCluster(2)) as [Member, Member];
    await until(() => first.relay.report().cluster?.peers[0]?.isHeard === true, "they heard each other");
    const node = second.relay.report().cluster?.node ?? "";
    assert.match(await command(first, "cluster", "list"), new RegExp(node));
    await command(first, "cluster", "remove", node.slice(0, 10));
    await until(() => first.relay.report().cluster?.peers.length === 0, "it was forgotten");
    await second.relay.close();
    await assert.rejects(startTestRelay(scope, { args: second.args }), { code: "unauthorized" });
    await writeFile(join(second.stateDir, "cluster-secret"), `another ${secret}`);
    await assert.rejects(startTestRelay(scope, { args: second.args }), { code: "state" });
  });
});

/** The options of a relay that its commands take as well. */
function commandOptions(args: readonly string[]): string[] {
  return args.flatMap((arg, index) =>
    arg === "--state-dir" || arg.startsWith("--cluster") ? [arg, args[index + 1] ?? ""] : [],
  );
}
