import assert from "node:assert/strict";
import { join } from "node:path";
import {
  get,
  runCli,
  siteAt,
  siteOf,
  startDaemonProcess,
  startCli,
  startHttp,
  startProxy,
  startTestClient,
  startTestRelay,
  useScope,
  programFile,
} from "@porthole/testing/end-to-end";

describe("Behind an HTTP proxy", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));

  it("--proxy: HTTP/2 goes through it, QUIC straight, and both serve", async () => {
    const [service, relay, proxy] = await Promise.all([startSite(), startTestRelay(scope), startProxy(scope)]);
    const client = await startTestClient(scope, {
      servers: [relay.apiPort],
      local: service.local,
      args: ["--proxy", proxy.url(), "--pool-size", "1"],
    });
    await client.online();
    assert.equal(await get(await siteOf(client)), "hello");
    assert.deepEqual([...new Set(proxy.targets)], [`127.0.0.1:${relay.apiPort}`]);
    await client.stop();
  });

  it("the environment names it, and its password is in no output", async () => {
    const [service, proxy, stateDir] = await Promise.all([
      startSite(),
      startProxy(scope, "user:s3cret word"),
      scope.folder(),
    ]);
    // No proxy leads to this machine by the environment, so the relay has another name for the client.
    const relay = await startTestRelay(scope);
    const server = `relay.test:${relay.apiPort}`;
    const args = [
      "--server",
      server,
      "--server-fingerprint",
      relay.fingerprint,
      "--local",
      service.local,
      "--force-h2",
    ];
    const env = { HTTPS_PROXY: proxy.url("user:s3cret%20word") };
    const client = startCli(scope, "client", [...args, "--no-acme", "--state-dir", stateDir], { env });
    await client.line(/online at relay\.test/);
    const url = (await client.line(/^URL: /)).slice("URL: ".length);
    assert.equal(await get(siteAt(url, join(stateDir, "primary-self-signed.pem"))), "hello");
    assert.ok(proxy.targets.every((target) => target === server));
    assert.equal((await client.kill("SIGINT")).code, 0);
    assert.doesNotMatch([...client.lines, ...client.errors].join("\n"), /s3cret/);
  });

  for (const [what, credentials, message] of [
    ["no password", undefined, /wants a user name and password/],
    ["a wrong password", "user:s3cret", /did not accept the user name and password/],
  ] as const) {
    it(`${what} is an error that says what to do`, async () => {
      const proxy = await startProxy(scope, "user:right");
      const stateDir = await scope.folder();
      const args = ["3000", "--server", "relay.test:4433", "--insecure", "--force-h2", "--state-dir", stateDir];
      const client = await runCli(scope, "client", args, { env: { HTTPS_PROXY: proxy.url(credentials) } });
      assert.equal(client.code, 2);
      assert.match(client.stderr, message);
      assert.match(client.stderr, /Set HTTPS_PROXY or PORTHOLE_PROXY/);
      assert.doesNotMatch(client.stdout + client.stderr, /s3cret/);
    });
  }

  it("porthole daemon --proxy: all its tunnels go through it", async () => {
    const [relay, proxy] = await Promise.all([startTestRelay(scope), startProxy(scope)]);
    const address = `127.0.0.1:${relay.apiPort}`;
    const client = await startDaemonProcess(scope, {
      argv: [programFile("client"), "daemon", "--stdio", "--proxy", proxy.url()],
      relay: { address, fingerprint: relay.fingerprint },
    });
    await client.relay("online");
    assert.deepEqual([...new Set(proxy.targets)], [address]);
    await client.shutDown();
  });

  it("a password in a flag is refused", async () => {
    const args = ["3000", "--server", "relay.test", "--proxy", "http://user:s3cret@127.0.0.1:1"];
    const client = await runCli(scope, "client", args);
    assert.equal(client.code, 2);
    assert.match(client.stderr, /--proxy would show a secret/);
    assert.doesNotMatch(client.stderr, /s3cret/);
  });

  it("a proxy that is not there, or does not want to, is worth another attempt", async () => {
    const proxy = await startProxy(scope, undefined, 403);
    const client = await startTestClient(scope, {
      servers: ["relay.test:4433"],
      transport: "http2",
      local: "3000",
      args: ["--proxy", proxy.url(), "--insecure"],
    });
    const error = await client.when("the refusal", ({ endpoints: [endpoint] }) => {
      const now = endpoint?.relays[0]?.now;
      return now?.status === "waiting" ? now.error : undefined;
    });
    assert.equal(error.code, "unreachable");
    assert.match(error.message, /The proxy 127\.0\.0\.1:\d+ refused to connect to relay\.test:4433 \(status 403\)/);
    await client.stop();
  });
});
