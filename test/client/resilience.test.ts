import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic } from "@porthole/common/link/quic";
import type { Dialers } from "@porthole/tunnel/tunnel";
import {
  freePort,
  get,
  hastened,
  needQuic,
  overEachTransport,
  settled,
  siteAt,
  siteOf,
  startCli,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
  withoutUdp,
  type Running,
  type TestClient,
} from "@porthole/testing/end-to-end";

describe("What a tunnel survives", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));

  overEachTransport((transport) => {
    it("a relay that is killed and started again: same name, without anyone doing anything", async () => {
      const [service, stateDir, apiPort, publicPort] = await Promise.all([
        startSite(),
        scope.folder(),
        freePort(),
        freePort(),
      ]);
      const relay = (): Running =>
        startCli(scope, "relay", [
          ...["--api-port", String(apiPort), "--pub-port", String(publicPort), "--state-dir", stateDir, "--json"],
        ]);
      const first = relay();
      await first.line(/Relay is ready/);
      const clock = hastened(scope.clock, 10);
      const client = await startTestClient(scope, {
        servers: [apiPort],
        transport,
        local: service.local,
        clock,
        dialers: { http2: dialHttp2, quic: { available: true, dial: (o, init) => dialQuic({ ...o, clock }, init) } },
      });
      const site = await siteOf(client);
      assert.equal(await get(site), "hello");
      await first.kill("SIGKILL");
      await client.when("the loss", (state) => {
        const now = state.endpoints[0]?.relays[0]?.now;
        return now?.status === "waiting" ? now.error : undefined;
      });
      const second = relay();
      await second.line(/Relay is ready/);
      assert.deepEqual(await siteOf(client), site);
      assert.equal(await get(site), "hello");
      await client.stop();
      assert.equal((await second.kill("SIGTERM")).code, 0);
    });

    it("a relay that is not there yet", async () => {
      const [service, apiPort] = await Promise.all([startSite(), freePort()]);
      const client = await startTestClient(scope, { servers: [apiPort], transport, local: service.local });
      const error = await waiting(client);
      assert.equal(error.code, "unreachable");
      assert.match(error.message, new RegExp(`^Nothing listens on 127\\.0\\.0\\.1:${apiPort}$`));
      await startTestRelay(scope, { args: ["--api-port", String(apiPort)] });
      assert.equal(await get(await siteOf(client)), "hello");
      await client.stop();
    });
  });

  it("UDP blocked from the start: HTTP/2 serves, and the state says why it is not QUIC", async function () {
    needQuic.call(this);
    const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
    const network = await withoutUdp(scope, relay.apiPort);
    const clock = hastened(scope.clock, 10);
    const client = await startTestClient(scope, { servers: [network.port], local: service.local, clock });
    const site = await siteOf(client);
    assert.equal(await get(site), "hello");
    const online = await client.when("the reason", (state) => {
      const now = state.endpoints[0]?.relays[0]?.now;
      return now?.status === "online" && /no answer/.test(now.whyNotQuic ?? "") ? now : undefined;
    });
    assert.equal(online.transport, "http2");
    assert.match(online.whyNotQuic ?? "", new RegExp(`^UDP to 127.0.0.1:${network.port} got no answer$`));
    assert.ok(network.lostDatagrams() > 0, "QUIC was not even tried");
    // The whole pool carries the traffic then.
    await until(
      () => relay.counts().links === 4,
      () => `there were 4 links, not ${relay.counts().links}`,
    );
    assert.equal(await get(site), "hello");
  });

  it("a connection that carries nothing any more: both ends notice, and the client dials again", async () => {
    const clock = hastened(scope.clock, 10);
    const [service, relay] = await Promise.all([startSite(), startTestRelay(scope, { clock })]);
    const network = await withoutUdp(scope, relay.apiPort);
    const client = await startTestClient(scope, {
      servers: [network.port],
      transport: "http2",
      local: service.local,
      clock,
      args: ["--pool-size", "1"],
    });
    const site = await siteOf(client);
    network.freeze();
    const error = await waiting(client);
    assert.equal(error.code, "timeout");
    assert.match(error.message, /No sign of life/);
    await client.online();
    await until(
      () => relay.counts().links === 1,
      () => `the relay had one link, not ${relay.counts().links}`,
    );
    assert.equal(await get(site), "hello");
  });

  it("no QUIC in the client: HTTP/2 serves, and the state says why", async () => {
    const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
    const quic: Dialers["quic"] = { available: false, reason: "No QUIC on this machine" };
    const client = await startTestClient(scope, {
      servers: [relay.apiPort],
      local: service.local,
      dialers: { http2: dialHttp2, quic },
    });
    const online = await client.online();
    assert.equal(online.transport, "http2");
    assert.equal(online.whyNotQuic, "QUIC is unavailable: No QUIC on this machine");
    assert.equal(await get(await siteOf(client)), "hello");
    await client.stop();
    await settled(relay);
  });

  it("no native code for QUIC on the machine: both programs say so and serve over HTTP/2", async () => {
    const [service, stateDir, hook] = await Promise.all([startSite(), scope.folder(), noNativeCode()]);
    const nodeArgs = ["--import", hook];
    const relay = startCli(
      scope,
      "relay",
      ["--api-port", "0", "--pub-port", "0", "--state-dir", join(stateDir, "relay"), "--json"],
      { nodeArgs },
    );
    const ready = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number };
    await relay.line(/QUIC is unavailable, clients connect over HTTP\/2: .*there is no such binary/);
    const client = startCli(
      scope,
      "client",
      ["--server", `127.0.0.1:${ready.api}`, "--local", service.local, "--state-dir", join(stateDir, "client")],
      { nodeArgs },
    );
    await client.line(/online at .* over HTTP\/2: QUIC is unavailable: .*there is no such binary/);
    const url = (await client.line(/^URL: /)).slice("URL: ".length);
    assert.equal(await get(siteAt(url, join(stateDir, "client", "primary-self-signed.pem"))), "hello");
    assert.equal((await client.kill("SIGINT")).code, 0);
    assert.equal((await relay.kill("SIGINT")).code, 0);
  });

  /** A module that takes the binding away from whatever is started with it. */
  async function noNativeCode(): Promise<string> {
    const path = join(await scope.folder(), "hook.mjs");
    await writeFile(
      path,
      `import Module from "node:module";
      const resolve = Module._resolveFilename;
      Module._resolveFilename = function (request, ...rest) {
        if (/^@matrixai.quic-|porthole-quic.node$/.test(request)) throw new Error("there is no such binary");
        return resolve.call(this, request, ...rest);
      };`,
    );
    return pathToFileURL(path).href;
  }
});

async function waiting(client: TestClient) {
  return client.when("waiting", (state) => {
    const now = state.endpoints[0]?.relays[0]?.now;
    return now?.status === "waiting" ? now.error : undefined;
  });
}
