import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  figuresOf,
  get,
  overEachTransport,
  runCli,
  startCli,
  startHttp,
  startTestClient,
  startTestRelay,
  startTunnel,
  siteAt,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("Operating a relay", function () {
  this.timeout(180_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("its figures say what has happened", async () => {
      const service = await startHttp(scope, (_request, response) => response.end("x".repeat(100_000)));
      const { relay, site, client } = await startTunnel(scope, {
        transport,
        local: service.local,
        relay: { args: ["--admin-port", "0"] },
        // Nobody may be led elsewhere because a link is slow for a moment.
        client: { args: ["--transport", transport === "quic" ? "quic" : "h2"] },
      });
      assert.equal((await get(site)).length, 100_000);
      await assert.rejects(get({ ...site, hostname: "nobody.localhost" }));
      await client.visited(1);
      const figures = await figuresOf(relay.adminPort);
      assert.equal(figures.get('porthole_visitors_total{outcome="forwarded"}'), 1);
      assert.equal(figures.get('porthole_visitors_total{outcome="unknown-name"}'), 1);
      assert.equal(figures.get("porthole_clients"), 1);
      assert.ok(Number(figures.get(`porthole_links{transport="${transport}"}`)) >= 1);
      assert.ok(Number(figures.get(`porthole_clients_admitted_total{transport="${transport}"}`)) >= 1);
      assert.ok(Number(figures.get('porthole_visitor_bytes_total{direction="out"}')) > 100_000);
      assert.ok(Number(figures.get("porthole_certificate_expires_timestamp_seconds")) > Date.now() / 1_000);
      const { clients, visitors } = relay.report();
      assert.equal(visitors, 1);
      assert.equal(clients[0]?.hostnames[0], site.hostname);
      assert.ok(clients[0]?.links.some((link) => link.visitors === 1 && link.transport === transport));
    });
  });

  it("has the figures that docs/operating.md names, and no other, from the start where an alert asks for an increase", async () => {
    const relay = await startTestRelay(scope, { args: ["--admin-port", "0", "--peer-port", "0"] });
    const response = await fetch(`http://127.0.0.1:${relay.adminPort}/metrics`, { headers: { connection: "close" } });
    const names = [...(await response.text()).matchAll(/^# TYPE (porthole_\w+)/gm)].map(([, name]) => name);
    const docs = await readFile(join(import.meta.dirname, "../../docs/operating.md"), "utf8");
    assert.deepEqual(new Set(names), new Set(docs.match(/porthole_[a-z_]+/g)));
    const figures = await figuresOf(relay.adminPort);
    for (const figure of [
      'visitors_total{outcome="full"}',
      'limited_total{limit="penalty"}',
      'links_ended_total{transport="quic",code="timeout"}',
      "quic_restarts_total",
    ])
      assert.equal(figures.get(`porthole_${figure}`), 0, figure);
  });

  it("the admin port answers monitoring, and nothing else", async () => {
    const relay = await startTestRelay(scope, { args: ["--admin-port", "0"] });
    const ask = (path: string, method = "GET") =>
      fetch(`http://127.0.0.1:${relay.adminPort}${path}`, { method, headers: { connection: "close" } });
    assert.equal((await ask("/healthz")).status, 200);
    assert.equal(await (await ask("/readyz")).text(), "ready\n");
    assert.equal((await ask("/metrics", "HEAD")).status, 200);
    assert.equal((await ask("/metrics", "POST")).status, 405);
    assert.equal((await ask("/status")).status, 404);
    assert.equal((await ask("/")).status, 200);
    assert.equal((await ask("/operate", "POST")).status, 404);
  });

  it("an admin port that is taken is an error that names the flag", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    scope.defer(() => server.close());
    await until(() => server.listening, "listening");
    const { port } = server.address() as net.AddressInfo;
    await assert.rejects(startTestRelay(scope, { args: ["--admin-port", String(port)] }), {
      code: "address",
      hint: /--admin-port/,
    });
  });

  it("porthole-relay status shows the clients of the relay that runs with the configuration file", async () => {
    const [stateDir, service] = await Promise.all([
      scope.folder(),
      startHttp(scope, (_request, response) => response.end("hello")),
    ]);
    const toml = join(stateDir, "relay.toml");
    const posts: string[] = [];
    const hook = await startHttp(scope, async (request, response) => {
      posts.push(await text(request));
      response.end();
    });
    await writeFile(join(stateDir, "secret"), "a secret of the two of them");
    await writeFile(
      toml,
      'api-port = 0\npub-port = 0\nadmin-port = 0\nlog-level = "debug"\njson = true\n' +
        `events-webhook = "${hook.local}/"\nevents-webhook-secret-file = "secret"\n`,
    );
    const relay = startCli(scope, "relay", ["--state-dir", stateDir]);
    const ready = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number; readonly admin: number };
    const none = await runCli(scope, "relay", ["status", "--state-dir", await scope.folder()]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /No relay is running with the state folder/);

    const client = await startTestClient(scope, { servers: [ready.api], transport: "http2", local: service.local });
    const { urls, hostnames } = await client.online();
    assert.equal(await get(siteAt(urls[0] ?? "", join(client.stateDir, "primary-self-signed.pem"))), "hello");
    const status = await runCli(scope, "relay", ["status", "--state-dir", stateDir]);
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /serving/);
    assert.match(status.stdout, new RegExp(`monitoring ${ready.admin}`));
    assert.match(status.stdout, /^1 clients on \d links, \d visitors now, 1 since the start; .* in, .* out$/m);
    assert.match(status.stdout, new RegExp(`: ${hostnames[0]}$`, "m"));
    assert.match(status.stdout, /^ {2}[0-9a-f]{8} {2}HTTP\/2 {2}from 127\.0\.0\.1:\d+ /m);
    const json = await runCli(scope, "relay", ["status", "--json"], { env: { PORTHOLE_STATE_DIR: stateDir } });
    assert.equal((JSON.parse(json.stdout) as { visitors: number }).visitors, 1);
    const { hostnames: names } = (JSON.parse(json.stdout) as { clients: { hostnames: string[] }[] }).clients[0] ?? {};
    const watched = startCli(scope, "relay", ["status", "--watch", "--state-dir", stateDir]);
    for (let round = 0; round < 2; round++) await watched.line(/^1 clients on /);
    const followed = startCli(scope, "relay", ["events", "--follow", "--json", "--state-dir", stateDir]);
    assert.deepEqual(
      { ...(JSON.parse(await followed.line(/"connected"/)) as object), time: "", link: "", client: "" },
      { id: 1, time: "", type: "connected", link: "", transport: "http2", address: "127.0.0.1", client: "", names },
    );
    assert.equal((await runCli(scope, "relay", ["ban", "203.0.113.7", "--state-dir", stateDir])).code, 0);
    assert.match(await followed.line(/"banned"/), /"what":"203\.0\.113\.7\/32"/);
    const shown = await runCli(scope, "relay", ["events", "--state-dir", stateDir]);
    assert.match(shown.stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ {2}connected .* HTTP\/2 {2}from 127\.0\.0\.1$/m);
    assert.match(shown.stdout, /^.*Z {2}banned {8}203\.0\.113\.7\/32$/m);
    await until(() => /"type":"connected".*"type":"banned"/s.test(posts.join("")), "the webhook has the events");
    // The process's own figures are there too.
    assert.ok(Number((await figuresOf(ready.admin)).get("process_resident_memory_bytes")) > 0);

    const second = await runCli(scope, "relay", ["--state-dir", stateDir]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /Another relay is running with the state folder/);
    await client.stop();
    assert.equal((await relay.kill("SIGTERM")).code, 0);
  });

  it("a configuration file with a misspelt key starts nothing", async () => {
    const stateDir = await scope.folder();
    await writeFile(join(stateDir, "relay.toml"), "pub-prt = 443\n");
    const relay = await runCli(scope, "relay", ["--state-dir", stateDir]);
    assert.equal(relay.code, 2);
    assert.match(relay.stderr, /relay\.toml: there is no setting "pub-prt"\n {2}Did you mean pub-port\?/);
  });
});
