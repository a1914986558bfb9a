import assert from "node:assert/strict";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import {
  connectVisitor,
  freePort,
  get,
  overEachTransport,
  readAll,
  readText,
  request,
  soon,
  startHttp,
  startTcp,
  startTunnel,
  until,
  useScope,
  type Site,
  needProgram,
} from "@porthole/testing/end-to-end";
import { gatewayLimits } from "@porthole/tunnel/gateway";
import { chromium } from "playwright-core";
import { ask, connectHttp2, heard, say } from "./visits.ts";

describe("What is read as HTTP, and what is carried as it is", function () {
  this.timeout(120_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("a bare port: HTTP by ALPN, HTTP by the first bytes, and any other protocol", async () => {
      const service = await startTcp(scope, (socket) => {
        socket.once("data", (bytes: Buffer) => {
          const text = bytes.toString("latin1");
          socket.end(
            text.startsWith("GET ")
              ? `HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${/x-forwarded-host/i.test(text) ? "web" : "raw"}`
              : `heard ${text}`,
          );
        });
      });
      const { site, client } = await startTunnel(scope, { transport, local: String(service.port) });
      assert.equal(await get(site), "web");
      const session = await connectHttp2(scope, site);
      assert.equal((await ask(session, { ":path": "/" })).body, "web");
      session.close();
      const http = `GET / HTTP/1.1\r\nHost: ${site.hostname}\r\nConnection: close\r\n\r\n`;
      assert.match(await without(site, http), /\r\n\r\nweb$/);
      // The beginning of a request may come in pieces.
      assert.match(await without(site, "G", "ET ", "/ HT", http.slice(8)), /\r\n\r\nweb$/);
      assert.equal(await without(site, "EHLO there\r\n"), "heard EHLO there\r\n");
      assert.equal(await without(site, "GET key\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw");
      assert.equal(await without(site, "\0\x01\x02"), "heard \0\x01\x02");
      // What might have become a request, and was all.
      const visitor = await connectVisitor(scope, site);
      visitor.end("POS");
      assert.equal(await heard(visitor), "heard POS");
      const visits = await client.visited(8);
      const count = (mode: string): number => visits.filter((visit) => visit.mode === mode).length;
      assert.deepEqual([count("http"), count("tcp")], [4, 4]);
    });

    it("a bare port whose service speaks first is heard by a visitor who waits for it", async () => {
      const service = await startTcp(scope, (socket) => {
        socket.write("220 welcome\r\n");
        socket.once("data", (bytes) => socket.end(`250 ${String(bytes)}`));
      });
      const { site } = await startTunnel(scope, { transport, local: String(service.port) });
      const visitor = await connectVisitor(scope, site);
      const [greeting] = (await soon(once(visitor, "data"), "the greeting")) as [Buffer];
      assert.equal(greeting.toString(), "220 welcome\r\n");
      visitor.write("EHLO");
      assert.equal(await heard(visitor), "250 EHLO");
    });

    it("a bare port and a visitor who takes its time over its request", async () => {
      const service = await startHttp(scope, (_incoming, response) => void response.end("web"));
      const { site } = await startTunnel(scope, { transport, local: String(service.port) });
      const visitor = await connectVisitor(scope, site);
      // Longer than the gateway listens for a service that speaks first.
      await pause(3 * gatewayLimits.silentVisitorMs);
      visitor.write(`GET / HTTP/1.1\r\nHost: ${site.hostname}\r\nConnection: close\r\n\r\n`);
      assert.match(await heard(visitor), /web$/);
    });
  });

  it("--mode http: what is no HTTP is refused", async () => {
    const service = await startHttp(scope, (_incoming, response) => void response.end("web"));
    const { site } = await startTunnel(scope, {
      transport: "http2",
      local: String(service.port),
      client: { args: ["--mode", "http"] },
    });
    assert.match(await without(site, "EHLO there\r\n"), /^HTTP\/1\.1 400 /);
    assert.equal(await get(site), "web");
  });

  it("--mode tcp: the service gets every byte as it was", async () => {
    const service = await startTcp(scope, (socket) => socket.once("data", (bytes) => socket.end(bytes)));
    const { site } = await startTunnel(scope, {
      transport: "http2",
      local: String(service.port),
      client: { args: ["--mode", "tcp"] },
    });
    const bytes = "GET / HTTP/1.1\r\nhost: anything\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n";
    assert.equal(await say(scope, site, bytes), bytes);
  });

  it("what a visitor says of where it comes from is dropped, and the truth is told", async () => {
    const service = await startHttp(scope, (incoming, response) => void response.end(JSON.stringify(incoming.headers)));
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const forged = {
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-host": "evil.example",
      x_forwarded_proto: "gopher",
      forwarded: "for=1.2.3.4",
      "x-real-ip": "1.2.3.4",
      "x-custom": "kept",
    };
    const { body } = await request(site, "/", { headers: forged });
    const headers = JSON.parse(await readText(body)) as Record<string, string>;
    const authority = `${site.hostname}:${site.port}`;
    assert.deepEqual(Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "connection")), {
      host: authority,
      "x-custom": "kept",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": authority,
      "x-forwarded-port": String(site.port),
      forwarded: `for=127.0.0.1;host="${authority}";proto=https`,
    });
  });

  it("options change while visitors are there", async () => {
    const service = await startHttp(scope, (incoming, response) => void response.end(incoming.headers.host));
    const { site, client } = await startTunnel(scope, { transport: "http2", local: service.local });
    const [endpoint] = client.endpoints;
    const session = await connectHttp2(scope, site);
    assert.equal((await ask(session, { ":path": "/" })).body, `${site.hostname}:${site.port}`);
    endpoint?.gateway.update({ headers: "localhost" });
    assert.equal((await ask(session, { ":path": "/" })).body, `localhost:${service.port}`);
    endpoint?.gateway.update({ paused: true });
    const paused = await ask(session, { ":path": "/" });
    assert.deepEqual([paused.status, JSON.parse(paused.body).error.code], [503, "paused"]);
    assert.equal(client.state.endpoints[0]?.gateway.paused, true);
    endpoint?.gateway.update({ paused: false });
    assert.equal((await ask(session, { ":path": "/" })).status, 200);
  });

  it("a paused endpoint connects to no service, also for visitors that say nothing", async () => {
    let connections = 0;
    const service = await startTcp(scope, (socket) => {
      connections += 1;
      socket.end("220 ready\r\n");
    });
    const { site, client } = await startTunnel(scope, { transport: "http2", local: String(service.port) });
    client.endpoints[0]?.gateway.update({ paused: true });
    const visitor = await connectVisitor(scope, site);
    // Longer than the gateway waits for a silent visitor of a running endpoint.
    await pause(3 * gatewayLimits.silentVisitorMs);
    visitor.write("EHLO there\r\n");
    await heard(visitor);
    assert.equal(connections, 0);
    client.endpoints[0]?.gateway.update({ paused: false });
    assert.equal(await heard(await connectVisitor(scope, site)), "220 ready\r\n");
    assert.equal(connections, 1);
  });

  it("a closed port is a page that reloads by itself for a browser, and JSON for a program", async function () {
    needProgram(this, "chromium");
    const port = await freePort();
    const { site, client } = await startTunnel(scope, { transport: "http2", local: String(port) });
    const json = await request(site, "/api", { headers: { accept: "application/json" } });
    assert.equal(json.status, 502);
    assert.equal(json.headers["content-type"], "application/json");
    const text = await readText(json.body);
    assert.equal(JSON.parse(text).error.code, "service-down");
    assert.doesNotMatch(text, /page/i);
    assert.doesNotMatch(text + JSON.stringify(json.headers), new RegExp(`${port}|ECONN|127\\.0\\.0\\.1|porthole-test`));
    await client.logged(new RegExp(`${port} does not answer: nothing listens there`));

    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--ignore-certificate-errors", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
      ],
    });
    scope.defer(() => browser.close());
    const page = await browser.newPage();
    const failures: string[] = [];
    page.on("pageerror", (error) => failures.push(error.message));
    await page.goto(`${site.origin}/deep?query`);
    assert.equal(await page.title(), "Nothing is running here right now");
    const heads: string[] = [];
    page.on("response", (answer) => void (answer.request().method() === "HEAD" && heads.push(answer.url())));
    await until(() => heads.length >= 2, "the page has asked twice");
    const recorded = (await client.policy.inspector.list({})).exchanges.map(
      ({ method, target }) => `${method} ${target}`,
    );
    assert.ok(recorded.includes("GET /deep?query"));
    assert.deepEqual(
      recorded.filter((each) => each.startsWith("HEAD")),
      [],
    );
    await startHttp(
      scope,
      (incoming, response) => void response.setHeader("content-type", "text/html").end(`<h1>up at ${incoming.url}`),
      { port },
    );
    await page.locator("h1", { hasText: "up at /deep?query" }).waitFor();
    assert.deepEqual(failures, []);
  });

  it("a service that listens on ::1 only is found by its bare port", async () => {
    const service = await startHttp(scope, (_incoming, response) => void response.end("over IPv6"), { host: "::1" });
    const { site } = await startTunnel(scope, { transport: "http2", local: String(service.port) });
    assert.equal(await get(site), "over IPv6");
  });

  /** Says it on a connection without ALPN, in pieces that arrive one by one, and hears everything. */
  async function without(site: Site, ...pieces: string[]): Promise<string> {
    const visitor = await connectVisitor(scope, site);
    for (const piece of pieces) {
      visitor.write(Buffer.from(piece, "latin1"));
      // Nothing tells when a piece has been read; without a break in between, TCP would join the pieces.
      await pause(20);
    }
    return (await soon(readAll(visitor.on("end", () => visitor.end())), "the end")).toString("latin1");
  }
});
