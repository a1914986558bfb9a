import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import { join } from "node:path";
import type { Relay } from "@porthole/relay";
import {
  get,
  request as ask,
  runCli,
  settled,
  siteAt,
  startHttp,
  startTestRelay,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";
import { runExample } from "@porthole/testing/example";
import { expose, type ExposedTunnel, type ExposeOptions, type Exposable } from "@porthole/tunnel";

describe("exposing in-process", function () {
  this.timeout(120_000);
  const scope = useScope();
  let relay: Relay;
  let relayDir: string;
  let stateDir: string;
  let invite: string;

  beforeEach(async () => {
    [relayDir, stateDir] = [await scope.folder(), await scope.folder()];
    // A list closes the relay, and so the invite is needed.
    const keys = join(relayDir, "keys.txt");
    await writeFile(keys, "# nobody\n");
    relay = await startTestRelay(scope, {
      args: ["--state-dir", relayDir, "--domain-suffix", "t.localhost", "--authorized-keys", keys],
    });
    const address = ["--address", `127.0.0.1:${relay.apiPort}`];
    const { stdout } = await runCli(scope, "relay", ["invite", ...address, "--state-dir", relayDir, "--json"]);
    invite = (JSON.parse(stdout) as { readonly porthole: string }).porthole;
  });

  async function exposed(what: Exposable, options: ExposeOptions = {}): Promise<ExposedTunnel> {
    const tunnel = await expose(what, { stateDir, transport: "h2", invite, ...options });
    scope.defer(() => tunnel.close());
    return tunnel;
  }

  async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
    const found: T[] = [];
    for await (const item of items) found.push(item);
    return found;
  }

  const site = ({ url, state }: ExposedTunnel): Site =>
    siteAt(url, join(stateDir, "self-signed", `${state.endpoints[0]?.clientId}.pem`));

  it("gives a port a URL, tells of its requests, and ends them with close", async () => {
    const service = await startHttp(scope, (_request, response) => response.end("from a port"));
    const tunnel = await exposed(service.port);
    assert.match(tunnel.url, /^https:\/\/[a-z2-7]{26}\.t\.localhost:\d+$/);
    const [one, two] = [tunnel.requests(), tunnel.requests()];
    assert.equal(await get(site(tunnel)), "from a port");
    for (const requests of [one, two]) {
      const { value } = await requests.next();
      assert.equal(`${value?.method} ${value?.path} ${value?.status}`, "GET / 200");
    }
    await two.return?.();
    const rest = all(one);
    await tunnel.close();
    assert.deepEqual(await rest, []);
    assert.equal(await tunnel.ended, undefined);
    assert.deepEqual(await all(tunnel.requests()), []);
    await settled(relay);
  });

  it("needs no port for a request handler or a server, and closes what it has opened alone", async () => {
    const handled = await exposed((_request, response) => response.end("from a handler"), { tunnel: "handler" });
    assert.equal(await get(site(handled)), "from a handler");
    assert.match(handled.state.endpoints[0]?.local ?? "", /^unix:\/.*http\.sock$/);
    const socket = (handled.state.endpoints[0]?.local ?? "").slice("unix:".length);
    await handled.close();
    assert.equal(existsSync(socket), false);

    const fresh = http.createServer((_request, response) => response.end("from a server"));
    const served = await exposed(fresh, { tunnel: "server" });
    assert.equal(await get(site(served)), "from a server");
    await served.close();
    assert.equal(fresh.listening, false);

    const listening = http
      .createServer((_request, response) => response.end("from a listening server"))
      .listen(0, "127.0.0.1");
    await once(listening, "listening");
    scope.defer(() => void listening.close());
    const beside = await exposed(listening, { tunnel: "listening" });
    assert.equal(await get(site(beside)), "from a listening server");
    await beside.close();
    assert.equal(listening.listening, true);
  });

  it("keeps the address of a name, and takes the invite once for all of them", async () => {
    const handler: http.RequestListener = (_request, response) => response.end();
    const first = await exposed(handler, { tunnel: "web" });
    const other = await exposed(handler, { tunnel: "api" });
    assert.notEqual(first.url, other.url);
    await first.close();
    const again = await exposed(handler, { tunnel: "web" });
    assert.equal(again.url, first.url);
    const { stdout } = await runCli(scope, "relay", ["keys", "list", "--json", "--state-dir", relayDir]);
    assert.equal((JSON.parse(stdout) as { readonly joined: readonly unknown[] }).joined.length, 1, stdout);
  });

  it("has the options of a tunnel", async () => {
    const tunnel = await exposed((_request, response) => response.end("secret"), {
      access: { bearerTokens: ["0123456789abcdef"] },
    });
    const refused = await ask(site(tunnel), "/");
    assert.equal(refused.status, 401);
  });

  it("ends with its block, and with its signal", async () => {
    const handler: http.RequestListener = (_request, response) => response.end();
    let seen: ExposedTunnel;
    {
      await using tunnel = await expose(handler, { stateDir, invite, transport: "h2" });
      seen = tunnel;
    }
    assert.equal(await seen.ended, undefined);
    const leave = new AbortController();
    const tunnel = await exposed(handler, { signal: leave.signal });
    leave.abort();
    assert.equal(await tunnel.ended, undefined);
    await settled(relay);
  });

  it("rejects with what is wrong, and leaves nothing open", async () => {
    const handler: http.RequestListener = (_request, response) => response.end();
    const closed = {
      stateDir: await scope.folder(),
      relay: { address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint },
    };
    await assert.rejects(expose(handler, closed), { code: "unauthorized", message: /does not know the client id/ });
    await assert.rejects(expose(handler, { stateDir: await scope.folder() }), {
      code: "usage",
      message: /No relay is named/,
    });
    await assert.rejects(expose(handler, { stateDir, invite, tunnel: "../x" }), {
      code: "usage",
      message: /can't be the name/,
    });
    await assert.rejects(expose("ftp://x", { stateDir, invite }), { code: "usage", message: /not a local service/ });
    await assert.rejects(expose(handler, { stateDir, invite, signal: AbortSignal.abort(new Error("left")) }), /left/);
    await assert.rejects(expose(handler, { stateDir: await scope.folder(), relay: "127.0.0.1:1", timeoutMs: 300 }), {
      code: "timeout",
    });
    await settled(relay);
  });

  it("runs the example of a webhook's test", async () => {
    const { code, stdout, stderr } = await runExample(scope, "webhook-test/webhook.test.mjs", {
      argv: [join(import.meta.dirname, "../../node_modules/mocha/bin/mocha.js"), "--no-config"],
      env: { PORTHOLE_INVITE: invite, XDG_DATA_HOME: stateDir },
    });
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /gets an event at its public URL/);
    await until(() => existsSync(join(stateDir, "porthole", "tunnels", "webhook-tests.pem")), "its key is kept");
    assert.match(await readFile(join(stateDir, "porthole", "tunnels", "webhook-tests.pem"), "utf8"), /PRIVATE KEY/);
  });
});
