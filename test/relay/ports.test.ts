import assert from "node:assert/strict";
import dgram from "node:dgram";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import http, { type IncomingMessage } from "node:http";
import net from "node:net";
import tls from "node:tls";
import {
  freePort,
  get,
  needQuic,
  overEachTransport,
  readText,
  siteOf,
  soon,
  startHttp,
  startTestClient,
  startTestRelay,
  startTunnel,
  useScope,
} from "@porthole/testing/end-to-end";

describe("One port for everything", function () {
  this.timeout(180_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));

  overEachTransport((transport) => {
    it("clients by the relay's name, by any other name and by address; visitors by theirs", async () => {
      const [service, port] = await Promise.all([startSite(), freePort()]);
      const ports = ["--api-port", "--pub-port", "--alpn-port"].flatMap((flag) => [flag, String(port)]);
      const relay = await startTestRelay(scope, {
        // Otherwise a visitor of a name that nobody has waits for its client until the relay is 15 s old.
        args: [...ports, "--domain-suffix", "tunnel.example.org", "--open", "--startup-grace", "0s"],
      });
      assert.deepEqual([relay.apiPort, relay.publicPort, relay.alpnPort], [port, port, port]);
      for (const host of ["127.0.0.1", "localhost"]) {
        const client = await startTestClient(scope, {
          servers: [`${host}:${port}`],
          transport,
          local: service.local,
          args: ["--no-acme"],
        });
        assert.equal(await get(await siteOf(client)), "hello");
        await client.stop();
      }
      // A browser that asks for a name that nobody has is no client.
      const visitor = tls.connect({
        ...{ host: "127.0.0.1", port, servername: "nobody.tunnel.example.org", ALPNProtocols: ["h2", "http/1.1"] },
      });
      const [error] = (await soon(once(visitor, "error"), "a refusal")) as [Error & { code: string }];
      assert.equal(error.code, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
    });
  });
});

describe("A port of the system's choice", function () {
  this.timeout(180_000);
  const scope = useScope();
  before(needQuic);
  const listening = "tracing:net.server.listen:asyncEnd";

  /** Another program that takes the UDP port of the same number whenever a TCP port opens, so many times. Answers the numbers. */
  function takeUdp(times: number): readonly number[] {
    const taken: number[] = [];
    const onListening = (message: unknown): void => {
      const address = (message as { readonly server: net.Server }).server.address();
      if (address === null || typeof address === "string" || taken.length === times) return;
      taken.push(address.port);
      const socket = dgram.createSocket("udp4");
      // Taken already, by a program that really is another one.
      socket.on("error", () => {});
      socket.bind({ ...address, exclusive: true });
      scope.defer(() => socket.close());
    };
    subscribe(listening, onListening);
    scope.defer(() => unsubscribe(listening, onListening));
    return taken;
  }

  async function isRefused(port: number): Promise<boolean> {
    const socket = net.connect({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
      return false;
    } catch {
      return true;
    } finally {
      socket.destroy();
    }
  }

  it("is another one where QUIC can't have the same number, and what was opened before is closed", async () => {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    // The first one is for visitors.
    const taken = takeUdp(4);
    const relay = await startTestRelay(scope);
    assert.equal(taken.length, 4);
    assert.equal(taken[0], relay.publicPort);
    assert.ok(!taken.includes(relay.apiPort));
    for (const port of taken.slice(1)) assert.ok(await isRefused(port), String(port));
    const client = await startTestClient(scope, {
      servers: [relay.apiPort],
      transport: "quic",
      local: service.local,
      args: ["--no-acme"],
    });
    assert.equal(await get(await siteOf(client)), "hello");
  });

  it("is looked for ten times, and then nothing is left open", async () => {
    const taken = takeUdp(Infinity);
    await assert.rejects(startTestRelay(scope), { code: "address", message: /^UDP .* is taken by another program/ });
    assert.equal(taken.length, 11);
    for (const port of taken) assert.ok(await isRefused(port), String(port));
  });

  it("is not taken instead of one that was asked for", async () => {
    const port = await freePort();
    const taken = takeUdp(2);
    await assert.rejects(startTestRelay(scope, { args: ["--api-port", String(port)] }), {
      code: "address",
      hint: /--api-port/,
    });
    assert.equal(taken[1], port);
    assert.ok(await isRefused(port));
  });
});

describe("Visitors without TLS", function () {
  this.timeout(180_000);
  const scope = useScope();

  async function start() {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const args = ["--http-port", "0"];
    return startTunnel(scope, { transport: "http2", local: service.local, relay: { args } });
  }

  async function ask(port: number | undefined, host: string, path = "/"): Promise<IncomingMessage> {
    const sent = http.request({ host: "127.0.0.1", port, path, headers: { host }, agent: false });
    sent.end();
    const [response] = (await soon(once(sent, "response"), "an answer")) as [IncomingMessage];
    return response;
  }

  for (const where of ["httpPort", "publicPort"] as const) {
    it(`are sent to https for a name that is served (${where})`, async () => {
      const { relay, site } = await start();
      const response = await ask(relay[where], `${site.hostname.toUpperCase()}:80`, "/a/b?c=%0d%0a");
      assert.equal(response.statusCode, 308);
      assert.equal(response.headers.location, `${site.origin}/a/b?c=%0d%0a`);
      assert.equal(await readText(response), `${site.origin}/a/b?c=%0d%0a\n`);
    });

    it(`are told what to do for any other name (${where})`, async () => {
      const { relay } = await start();
      for (const host of ["example.com", "nobody.localhost", "127.0.0.1", "a b", "x.localhost@evil.example"]) {
        const response = await ask(relay[where], host);
        assert.equal(response.statusCode, 400, host);
        assert.match(await readText(response), /^This port speaks HTTPS only/);
      }
    });

    it(`are told so when what they send is no HTTP in the end (${where})`, async () => {
      const { relay } = await start();
      const socket = net.connect({ host: "127.0.0.1", port: Number(relay[where]) });
      socket.end("GET / HTTP/1.1\r\nContent-Length: a\r\nno header\r\n\r\n");
      assert.match(await soon(readText(socket), "an answer"), /^HTTP\/1\.1 400 Bad Request\r\n/);
    });
  }
});
