import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { relayConfig, relayOptions, startRelay, type Relay } from "@porthole/relay";
import { PortholeError } from "@porthole/common/errors";
import { readOptions } from "@porthole/common/options";
import type { EndpointView, TunnelInfo } from "@porthole/common/rpc";
import {
  connectVisitor,
  get,
  overEachTransport,
  readText,
  settled,
  siteAt,
  startHttp,
  startRawAgent,
  startTestAgent,
  startTestRelay,
  useScope,
  type Site,
  type TestAgent,
} from "./fixture/index.ts";

describe("an agent that another program drives", function () {
  this.timeout(60_000);
  const scope = useScope();
  const startSite = (text: string) => startHttp(scope, (_request, response) => response.end(text));
  const relaySpec = (relay: Relay) => ({ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint });

  async function identity({ agent }: TestAgent): Promise<{ readonly pem: string }> {
    const { pem } = await agent.call("identity/create", {});
    return { pem };
  }

  /** The endpoint once visitors can come. */
  async function online(test: TestAgent, id: string, role: EndpointView["role"] = "primary"): Promise<Site> {
    const view = await test.told("tunnel/state", `${id} is online`, ({ id: told, state }) => {
      const endpoint = state.endpoints.find((each) => each.role === role);
      return told === id && endpoint?.relays[0]?.now.status === "online" ? endpoint : undefined;
    });
    return siteAt(view.urls[0] ?? "", join(test.stateDir, "self-signed", `${view.clientId}.pem`));
  }

  const statusOf = ({ state }: TunnelInfo) => state.endpoints.map(({ relays }) => relays[0]?.now.status);

  overEachTransport((transport) => {
    it("starts a tunnel, tells its state and its visits, changes it, and stops it", async () => {
      const [one, two, relay] = await Promise.all([startSite("one"), startSite("two"), startTestRelay(scope)]);
      const test = await startTestAgent(scope);
      const { agent } = test;
      const started = await agent.call("tunnel/start", {
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
      assert.match(String((await once(staying, "data"))[0]), /one$/);
      const { state } = await agent.call("tunnel/update", {
        id: "web",
        changes: { primary: { local: two.local } },
      });
      assert.equal(state.endpoints[0]?.local, two.local);
      assert.equal(await get(site), "two");
      staying.write(again);
      assert.match(String((await once(staying, "data"))[0]), /two$/, "the connection stays");
      staying.destroy();

      await agent.call("tunnel/stop", { id: "web" });
      await test.told("tunnel/state", "it has ended", ({ state: told }) => told.ended);
      assert.deepEqual(await agent.call("tunnel/list", {}), { tunnels: [] });
      await settled(relay);
    });

    it("adds a second name and takes it away, and the first one's visitors stay", async () => {
      const [service, relay] = await Promise.all([startSite("hello"), startTestRelay(scope)]);
      const test = await startTestAgent(scope);
      const { agent } = test;
      await agent.call("tunnel/start", {
        id: "web",
        relays: [relaySpec(relay)],
        primary: { identity: await identity(test), local: service.local },
        transport: transport === "http2" ? "h2" : "quic",
      });
      const staying = await connectVisitor(scope, await online(test, "web"));
      await agent.call("tunnel/update", {
        id: "web",
        changes: { secondary: { identity: await identity(test), local: service.local } },
      });
      const second = await online(test, "web", "secondary");
      assert.equal(await get(second), "hello");
      const { state } = await agent.call("tunnel/update", { id: "web", changes: { secondary: null } });
      assert.deepEqual(
        state.endpoints.map(({ role }) => role),
        ["primary"],
      );
      staying.write("GET / HTTP/1.0\r\n\r\n");
      assert.match(await readText(staying), /hello$/);
      await assert.rejects(get(second));
    });
  });

  it("tells a refusal by its code, and can start the tunnel anew", async () => {
    const [service, relay] = await Promise.all([
      startSite("hello"),
      startTestRelay(scope, { authorize: () => Promise.reject(new PortholeError("unauthorized", "Not you")) }),
    ]);
    const test = await startTestAgent(scope);
    const spec = {
      id: "web",
      relays: [relaySpec(relay)],
      primary: { identity: await identity(test), local: service.local },
    };
    await test.agent.call("tunnel/start", spec);
    const ended = await test.told("tunnel/state", "it has ended", ({ state }) => state.ended);
    assert.equal(ended.error?.code, "unauthorized");
    assert.equal(ended.error?.retryable, false);
    assert.deepEqual((await test.agent.call("tunnel/list", {})).tunnels.map(statusOf), [["failed"]]);
    assert.deepEqual(statusOf(await test.agent.call("tunnel/start", spec)), ["connecting"]);
  });

  it("starts a relay of its own to try things out, when it was given one", async () => {
    const service = await startSite("hello");
    let started = 0;
    const test = await startTestAgent(scope, {
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
    const { agent } = test;
    const answers = await Promise.all([agent.call("trialRelay/start", {}), agent.call("trialRelay/start", {})]);
    assert.deepEqual(answers[0], answers[1]);
    assert.equal(started, 1);
    const { relay } = answers[0];
    const { http2 } = await agent.call("relay/test", { relay });
    assert.equal(http2.ok, true);
    await agent.call("tunnel/start", {
      id: "try",
      relays: [relay],
      primary: { identity: await identity(test), local: service.local },
    });
    assert.equal(await get(await online(test, "try")), "hello");
    await agent.call("shutdown", {});
    await test.ended;
  });

  it("has no relay otherwise, and says so", async () => {
    const { agent } = await startTestAgent(scope);
    await assert.rejects(agent.call("trialRelay/start", {}), { code: "unavailable" });
  });

  it("lets nothing but initialize come first, and only once", async () => {
    const { agent } = startRawAgent(scope);
    await assert.rejects(agent.call("tunnel/list", {}), {
      code: "usage",
      message: "tunnel/list came before initialize",
    });
    const client = { name: "test", version: "1" };
    const stateDir = await scope.folder();
    await assert.rejects(agent.call("initialize", { rpcVersion: 2, client, stateDir }), { code: "version" });
    const { rpcVersion, node } = await agent.call("initialize", { rpcVersion: 1, client, stateDir });
    assert.deepEqual([rpcVersion, node], [1, process.versions.node]);
    await assert.rejects(agent.call("initialize", { rpcVersion: 1, client, stateDir }), { code: "usage" });
    assert.deepEqual(await agent.call("tunnel/list", {}), { tunnels: [] });
  });
});
