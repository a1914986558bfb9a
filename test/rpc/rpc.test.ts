import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { relayConfig, relayOptions, startRelay, type Relay } from "@porthole/relay";
import { PortholeError } from "@porthole/common/errors";
import { generateKey } from "@porthole/common/identity";
import { formatInvite } from "@porthole/common/invite";
import { readOptions } from "@porthole/common/options";
import type { EndpointView, TunnelChanges, TunnelInfo } from "@porthole/tunnel/rpc";
import { Secret } from "@porthole/common/util";
import {
  connectVisitor,
  freePort,
  get,
  overEachTransport,
  readText,
  settled,
  siteAt,
  soon,
  startHttp,
  startRawDaemon,
  startTestDaemon,
  startTestRelay,
  useScope,
  type Site,
  type TestDaemon,
} from "@porthole/testing/end-to-end";

describe("a daemon that another program drives", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = (text: string) => startHttp(scope, (_request, response) => response.end(text));
  const relaySpec = (relay: Relay) => ({ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint });

  async function identity({ daemon }: TestDaemon): Promise<{ readonly pem: string }> {
    const { pem } = await daemon.call("identity/create", {});
    return { pem };
  }

  /** The endpoint once visitors can come. */
  async function online(test: TestDaemon, id: string, role: EndpointView["role"] = "primary"): Promise<Site> {
    const view = await test.told("tunnel/state", `${id} is online`, ({ id: told, state }) => {
      const endpoint = state.endpoints.find((each) => each.role === role);
      return told === id && endpoint?.relays[0]?.now.status === "online" ? endpoint : undefined;
    });
    return siteAt(view.urls[0] ?? "", join(test.stateDir, "self-signed", `${view.clientId}.pem`));
  }

  /** Reads until the text is there: head and body may come one after the other. */
  async function answered(visitor: Readable, text: RegExp): Promise<void> {
    let answer = "";
    while (!text.test(answer)) answer += String((await soon(once(visitor, "data"), `${text} after: ${answer}`))[0]);
  }

  const statusOf = ({ state }: TunnelInfo) => state.endpoints.map(({ relays }) => relays[0]?.now.status);

  overEachTransport((transport) => {
    it("starts a tunnel, tells its state and its visits, changes it, and stops it", async () => {
      const [one, two, relay] = await Promise.all([startSite("one"), startSite("two"), startTestRelay(scope)]);
      const test = await startTestDaemon(scope);
      const { daemon } = test;
      const started = await daemon.call("tunnel/start", {
        id: "web",
        relays: [relaySpec(relay)],
        primary: { identity: await identity(test), local: one.local },
        transport: transport === "http2" ? "h2" : "quic",
      });
      assert.equal(started.id, "web");
      const site = await online(test, "web");
      assert.equal(await get(site), "one");
      const visit = await test.told("tunnel/visit", "the visit", ({ id, visit: told }) =>
        id === "web" ? told : undefined,
      );
      assert.deepEqual([visit.hostname, visit.transport, visit.role], [site.hostname, transport, "primary"]);

      const staying = await connectVisitor(scope, site);
      const again = `GET / HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`;
      staying.write(again);
      await answered(staying, /one$/);
      const { state } = await daemon.call("tunnel/update", {
        id: "web",
        changes: { primary: { local: two.local } },
      });
      assert.equal(state.endpoints[0]?.local, two.local);
      assert.equal(await get(site), "two");
      staying.write(again);
      // The connection stays.
      await answered(staying, /two$/);
      staying.destroy();

      await daemon.call("tunnel/stop", { id: "web" });
      await test.told("tunnel/state", "it has ended", ({ state: told }) => told.ended);
      assert.deepEqual(await daemon.call("tunnel/list", {}), { tunnels: [] });
      await settled(relay);
    });

    it("adds a second name and takes it away, and the first one's visitors stay", async () => {
      const [service, relay] = await Promise.all([startSite("hello"), startTestRelay(scope)]);
      const test = await startTestDaemon(scope);
      const { daemon } = test;
      await daemon.call("tunnel/start", {
        id: "web",
        relays: [relaySpec(relay)],
        primary: { identity: await identity(test), local: service.local },
        transport: transport === "http2" ? "h2" : "quic",
      });
      const staying = await connectVisitor(scope, await online(test, "web"));
      await daemon.call("tunnel/update", {
        id: "web",
        changes: { secondary: { identity: await identity(test), local: service.local } },
      });
      const second = await online(test, "web", "secondary");
      assert.equal(await get(second), "hello");
      const { state } = await daemon.call("tunnel/update", { id: "web", changes: { secondary: null } });
      assert.deepEqual(
        state.endpoints.map(({ role }) => role),
        ["primary"],
      );
      staying.write("GET / HTTP/1.0\r\n\r\n");
      assert.match(await readText(staying), /hello$/);
      await assert.rejects(get(second));
    });
  });

  it("tells that the local port is closed, before anyone comes, and when it opens", async () => {
    const [relay, port] = await Promise.all([startTestRelay(scope), freePort()]);
    const test = await startTestDaemon(scope);
    await test.daemon.call("tunnel/start", {
      id: "web",
      relays: [relaySpec(relay)],
      primary: { identity: await identity(test), local: `127.0.0.1:${port}` },
    });
    const whenLocal = (isUp: boolean) =>
      test.told("tunnel/state", `localUp is ${isUp}`, ({ state }) =>
        state.endpoints[0]?.localUp === isUp ? isUp : undefined,
      );
    await whenLocal(false);
    await startHttp(scope, (_request, response) => response.end("here"), { port });
    await whenLocal(true);
    assert.equal(await get(await online(test, "web")), "here");
  });

  it("tells a refusal by its code, and can start the tunnel again", async () => {
    const [service, relay] = await Promise.all([
      startSite("hello"),
      startTestRelay(scope, { authorize: () => Promise.reject(new PortholeError("unauthorized", "Not you")) }),
    ]);
    const test = await startTestDaemon(scope);
    const spec = {
      id: "web",
      relays: [relaySpec(relay)],
      primary: { identity: await identity(test), local: service.local },
    };
    await test.daemon.call("tunnel/start", spec);
    const ended = await test.told("tunnel/state", "it has ended", ({ state }) => state.ended);
    assert.equal(ended.error?.code, "unauthorized");
    assert.equal(ended.error?.retryable, false);
    assert.deepEqual((await test.daemon.call("tunnel/list", {})).tunnels.map(statusOf), [["failed"]]);
    assert.deepEqual(statusOf(await test.daemon.call("tunnel/start", spec)), ["connecting"]);
  });

  it("starts a relay of its own to try things out, when it was given one", async () => {
    const service = await startSite("hello");
    let started = 0;
    const test = await startTestDaemon(scope, {
      async startTrialRelay({ publicPort, stateDir }, context) {
        started += 1;
        const argv = [
          "--api-port",
          "0",
          "--pub-port",
          String(publicPort),
          "--state-dir",
          join(stateDir, "trial-relay"),
        ];
        return startRelay(relayConfig(readOptions(relayOptions, argv, {}).values), context);
      },
    });
    const { daemon } = test;
    const answers = await Promise.all([daemon.call("trialRelay/start", {}), daemon.call("trialRelay/start", {})]);
    assert.deepEqual(answers[0], answers[1]);
    assert.equal(started, 1);
    const { relay } = answers[0];
    const { http2 } = await daemon.call("relay/test", { relay });
    assert.equal(http2.ok, true);
    await daemon.call("tunnel/start", {
      id: "try",
      relays: [relay],
      primary: { identity: await identity(test), local: service.local },
    });
    assert.equal(await get(await online(test, "try")), "hello");
    await daemon.call("shutdown", {});
    await test.ended;
  });

  it("tries a relay out with the key that it is given, also for a user with an owner key", async () => {
    const relay = await startTestRelay(scope);
    const owner = generateKey().pem;
    const { daemon } = await startTestDaemon(scope, { owner });
    const { http2 } = await daemon.call("relay/test", { relay: relaySpec(relay), identity: { pem: owner } });
    assert.ok(http2.ok, JSON.stringify(http2));
  });

  it("remembers a relay that it was invited to, and forgets the token once it was used", async () => {
    const [service, relay] = await Promise.all([startSite("hello"), startTestRelay(scope)]);
    const test = await startTestDaemon(scope);
    const { daemon } = test;
    const invite = formatInvite(
      { relay: { host: "127.0.0.1", port: relay.apiPort }, pin: relay.fingerprint, token: new Secret("a.token") },
      "vscode",
    );
    const { relay: invited } = await daemon.call("relay/parseInvite", { invite });
    assert.deepEqual(invited, { ...relaySpec(relay), token: "a.token" });
    assert.deepEqual(await daemon.call("relay/list", {}), { relays: [] });
    assert.deepEqual(await daemon.call("relay/add", { invite }), { relay: relaySpec(relay) });
    await daemon.call("tunnel/start", { id: "web", primary: { identity: await identity(test), local: service.local } });
    assert.equal(await get(await online(test, "web")), "hello");
    await daemon.call("relay/add", { relay: { address: "other.example", label: "other" } });
    assert.deepEqual((await daemon.call("relay/list", {})).relays.at(-1), {
      address: "other.example:4433",
      label: "other",
    });
    const path = join(test.stateDir, "joined-relays.json");
    await daemon.call("relay/remove", { address: "other.example" });
    const kept = await readFile(path, "utf8");
    assert.ok(kept.includes(relay.fingerprint) && !kept.includes("a.token") && !kept.includes("other"));
    await assert.rejects(daemon.call("relay/remove", { address: "other.example" }), { code: "usage" });
    await assert.rejects(daemon.call("relay/add", { invite: "porthole://join?relay=x" }), { code: "usage" });
  });

  it("refuses what can't be, and everything stays as it was", async () => {
    const [service, relay] = await Promise.all([startSite("hello"), startTestRelay(scope)]);
    const test = await startTestDaemon(scope);
    const { daemon } = test;
    const spec = {
      id: "web",
      relays: [relaySpec(relay)],
      primary: { identity: await identity(test), local: service.local },
    };
    await assert.rejects(daemon.call("tunnel/start", { ...spec, relays: [] }), { code: "usage", message: /No relay/ });
    await daemon.call("tunnel/start", spec);
    const site = await online(test, "web");
    const refused: readonly [() => Promise<unknown>, string, RegExp][] = [
      [() => daemon.call("tunnel/start", spec), "usage", /"web" is running/],
      [() => daemon.call("tunnel/start", { ...spec, id: "two" }), "usage", /"web" has this identity/],
      [() => daemon.call("tunnel/stop", { id: "none" }), "usage", /no tunnel "none"/],
      [() => change({ secondary: spec.primary }), "usage", /same identity/],
      [() => change({ secondary: { local: "1" } }), "usage", /needs an identity/],
      [() => change({ primary: { local: "nonsense" } }), "usage", /primary\.local: "nonsense"/],
      [() => change({ primary: { extensionHex: "xyz" } }), "usage", /primary\.extensionHex: Character 1/],
      [() => change({ primary: { identity: { pem: "x" } } }), "state", /no private key/],
      [() => change({ primary: { identity: { path: "key.pem" } } }), "usage", /not an absolute path/],
      [() => change({ relays: [{ address: "a b" }] }), "usage", /relays\.0\.address/],
      [() => change({ relays: [{ ...relaySpec(relay), fingerprint: "x" }] }), "usage", /relays\.0\.fingerprint/],
      [() => change({ name: "_" }), "usage", /name: /],
    ];
    for (const [call, code, message] of refused) await assert.rejects(call(), { code, message });
    assert.equal(await get(site), "hello");
    assert.deepEqual((await daemon.call("tunnel/list", {})).tunnels.map(statusOf), [["online"]]);

    function change(changes: TunnelChanges): Promise<unknown> {
      return daemon.call("tunnel/update", { id: "web", changes });
    }
  });

  it("starts an endpoint again behind the same id when it has to", async () => {
    const [service, one, two] = await Promise.all([startSite("hello"), startTestRelay(scope), startTestRelay(scope)]);
    const test = await startTestDaemon(scope);
    const { daemon } = test;
    const primary = { identity: await identity(test), local: service.local };
    await daemon.call("tunnel/start", { id: "web", relays: [relaySpec(one)], primary });
    const before = await online(test, "web");
    await daemon.call("tunnel/update", { id: "web", changes: { relays: [relaySpec(two)] } });
    await settled(one);
    const url = await test.told("tunnel/state", "the other relay", ({ state: { endpoints } }) =>
      endpoints[0]?.urls.find((each) => new URL(each).port === String(two.publicPort)),
    );
    assert.equal(new URL(url).hostname, before.hostname);
  });

  it("keeps keys for nobody, and changes their form", async () => {
    const { daemon } = await startTestDaemon(scope);
    const made = await daemon.call("identity/create", {});
    const { pem } = await daemon.call("identity/export", { identity: { pem: made.pem }, passphrase: "secret" });
    assert.match(pem, /ENCRYPTED/);
    await assert.rejects(daemon.call("identity/import", { pem }), { code: "key" });
    await assert.rejects(daemon.call("identity/import", { pem, passphrase: "other" }), { code: "key" });
    assert.deepEqual(await daemon.call("identity/import", { pem, passphrase: "secret" }), made);
    const { clientId, fingerprint } = made;
    assert.deepEqual(await daemon.call("identity/fingerprint", { identity: { pem: made.pem } }), {
      clientId,
      fingerprint,
    });
    const path = join(await scope.folder(), "key.pem");
    const first = await daemon.call("identity/fingerprint", { identity: { path } });
    assert.deepEqual(await daemon.call("identity/fingerprint", { identity: { path } }), first);
  });

  it("has no relay otherwise, and says so", async () => {
    const { daemon } = await startTestDaemon(scope);
    await assert.rejects(daemon.call("trialRelay/start", {}), { code: "unavailable" });
  });

  it("lets nothing but initialize come first, and only once", async () => {
    const { daemon } = startRawDaemon(scope);
    await assert.rejects(daemon.call("tunnel/list", {}), {
      code: "usage",
      message: "tunnel/list came before initialize",
    });
    const client = { name: "test", version: "1" };
    const stateDir = await scope.folder();
    await assert.rejects(daemon.call("initialize", { rpcVersion: 2, client, stateDir }), { code: "version" });
    const { rpcVersion, node } = await daemon.call("initialize", { rpcVersion: 1, client, stateDir });
    assert.deepEqual([rpcVersion, node], [1, process.versions.node]);
    await assert.rejects(daemon.call("initialize", { rpcVersion: 1, client, stateDir }), { code: "usage" });
    assert.deepEqual(await daemon.call("tunnel/list", {}), { tunnels: [] });
  });
});
