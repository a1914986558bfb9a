import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http2 from "node:http2";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import type { ExchangeSummary, Inspector } from "@porthole/tunnel/inspector";
import { chromium } from "playwright-core";
import { WebSocket, WebSocketServer } from "ws";
import {
  connectVisitor,
  needProgram,
  readAll,
  request,
  run,
  startHttp,
  startTcp,
  startTunnel,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

const secret = "hush-hush-4711";

describe("the inspector", function () {
  this.timeout(120_000);
  const scope = useScope();

  async function expose(local: string) {
    const tunnel = await startTunnel(scope, { transport: "http2", local });
    const { inspector } = tunnel.client.policy;
    assert.ok(inspector);
    return { ...tunnel, inspector };
  }

  async function recorded(inspector: Inspector, filter: string): Promise<ExchangeSummary> {
    let found: ExchangeSummary | undefined;
    await until(
      async () => {
        [found] = (await inspector.list({ filter: { text: filter } })).exchanges;
        return found !== undefined && found.state !== "open";
      },
      () => `an exchange for ${filter} had ended: ${JSON.stringify(found)}`,
    );
    assert.ok(found);
    return found;
  }

  it("replays a webhook with the same bytes, and its signature still holds", async () => {
    const received: Buffer[] = [];
    // The bytes themselves, before any server has interpreted them.
    const service = await startTcp(scope, (socket) => {
      let bytes = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        const end = bytes.indexOf("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(bytes.toString("latin1"))?.[1]);
        if (end < 0 || bytes.length < end + 4 + length) return;
        received.push(bytes);
        bytes = Buffer.alloc(0);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    const { site, inspector } = await expose(`http://127.0.0.1:${service.port}`);
    const event =
      '{\r\n  "id": "evt_1",\t"amount": 1.10e2, "name": "Zo\u00eb \ud83d\ude00", "nested": {"b":1,"a":2}\n}\n';
    const sentAt = Math.floor(Date.now() / 1_000);
    const sign = (body: string | Buffer): string =>
      createHmac("sha256", "whsec_x").update(`${sentAt}.`).update(body).digest("hex");
    const { body } = await request(site, "/stripe/webhook?source=live", {
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        "stripe-signature": `t=${sentAt},v1=${sign(event)},v0=aa`,
        "content-length": String(Buffer.byteLength(event)),
      },
      body: event,
    });
    await readAll(body);
    const { id } = await recorded(inspector, "path:stripe");
    const { id: replayed } = await inspector.replay({ id });
    const summary = await recorded(inspector, "is:replay");
    assert.deepEqual([summary.id, summary.status, summary.replayOf], [replayed, 200, id]);
    const [first, second] = received.map((bytes) => {
      const end = bytes.indexOf("\r\n\r\n");
      const [line, ...headers] = bytes.toString("latin1", 0, end).split("\r\n");
      return {
        line,
        headers: headers.filter((header) => !/^connection:/i.test(header)).sort(),
        body: bytes.subarray(end + 4),
      };
    });
    assert.ok(first && second);
    assert.deepEqual(second, first);
    assert.equal(second.body.toString(), event);
    const [, signature] = /v1=([0-9a-f]+)/.exec(second.headers.join("\n")) ?? [];
    assert.equal(signature, sign(second.body));
  });

  it("tells requests over HTTP/2 and HTTP/1.1 with headers, bodies, trailers and times", async () => {
    const service = await startHttp(scope, (incoming, response) => {
      incoming.resume().on("end", () => {
        response.setHeader("Content-Encoding", "br");
        response.setHeader("Trailer", "X-Sum");
        response.addTrailers({ "X-Sum": "1" });
        response.end(brotliCompressSync("packed"));
      });
    });
    const { site, inspector } = await expose(`http://127.0.0.1:${service.port}`);
    const socket = await connectVisitor(scope, site, { alpn: ["h2"] });
    const session = http2.connect(site.origin, { createConnection: () => socket });
    scope.defer(() => session.destroy());
    const stream = session.request({ ":path": "/two?a=b", ":method": "POST", "x-twice": ["1", "2"] });
    stream.end("body");
    await readAll(stream);
    await readAll((await request(site, "/one")).body);
    const two = inspector.detail({ id: (await recorded(inspector, "path:/two")).id });
    assert.deepEqual([two.summary.httpVersion, two.summary.method, two.summary.requestBytes], ["2", "POST", 4]);
    assert.equal(two.origin, site.origin);
    const names = two.request.headers.map(({ name, value }) => `${name}: ${value}`);
    assert.ok(names.includes("x-twice: 1") || names.includes("x-twice: 1, 2"), names.join("\n"));
    assert.deepEqual(two.response?.trailers, [{ name: "X-Sum", value: "1" }]);
    const { forwardedMs = -1, responseHeadMs = -1, endMs = -1 } = two.timing;
    assert.ok(forwardedMs >= 0 && responseHeadMs >= forwardedMs && endMs >= responseHeadMs, JSON.stringify(two.timing));
    const one = await recorded(inspector, "path:/one");
    assert.equal(one.httpVersion, "1.1");
    assert.equal((await inspector.body({ id: one.id, side: "response" })).text, "packed");
  });

  it("reads WebSocket messages and server-sent events while they come", async () => {
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
    sockets.on("connection", (socket) =>
      socket.on("message", (data: Buffer) => socket.send(`echo of ${data.toString()}`)),
    );
    let send = (_text: string): void => {};
    const service = await startHttp(
      scope,
      (_incoming, response) => {
        response.setHeader("Content-Type", "text/event-stream");
        response.flushHeaders();
        send = (text) => void response.write(text);
      },
      {
        onUpgrade: (incoming, socket, head) =>
          sockets.handleUpgrade(incoming, socket, head, (client) => sockets.emit("connection", client)),
      },
    );
    const { site, inspector } = await expose(`http://127.0.0.1:${service.port}`);
    const client = new WebSocket(`wss://127.0.0.1:${site.port}/live`, [], {
      ca: site.ca,
      servername: site.hostname,
      headers: { host: `${site.hostname}:${site.port}` },
    } as WebSocket.ClientOptions);
    scope.defer(() => client.terminate());
    await once(client, "open");
    client.send(`{"token":"${secret}"}`);
    await once(client, "message");
    const [open] = (await inspector.list({ filter: { text: "kind:websocket" } })).exchanges;
    assert.equal(open?.state, "open");
    await until(async () => (await inspector.messages({ id: open.id })).total === 2, "both messages were read");
    assert.deepEqual(
      (await inspector.messages({ id: open.id })).messages.map(({ from, text, compressed }) => [
        from,
        text,
        compressed,
      ]),
      [
        ["visitor", '{"token":"<redacted>"}', true],
        ["service", 'echo of {"token":"<redacted>"}', true],
      ],
    );
    client.close(1_000, "done");
    await once(client, "close");
    assert.equal((await recorded(inspector, "kind:websocket")).messages, 4);

    const { body } = await request(site, "/events");
    send('event: tick\nid: 1\ndata: {"n":1}\n\n');
    await once(body, "data");
    const [events] = (await inspector.list({ filter: { text: "kind:sse" } })).exchanges;
    assert.equal(events?.state, "open");
    assert.equal((await inspector.messages({ id: events.id })).messages[0]?.event?.name, "tick");
    body.destroy();
    sockets.close();
  });

  it("shows refusals, and what breaks off", async () => {
    let breakOff = (): void => assert.fail("Nothing was asked");
    const service = await startHttp(scope, (_incoming, response) => {
      response.writeHead(200, { "Content-Length": "100" });
      response.write("half");
      breakOff = () => void response.destroy();
    });
    const { site, inspector } = await expose(`http://127.0.0.1:${service.port}`);
    // Until the visitor has the head, the gateway can still answer with a page of its own.
    const { body } = await request(site, "/half");
    breakOff();
    await assert.rejects(readAll(body));
    const half = await recorded(inspector, "path:/half");
    assert.deepEqual([half.state, half.status, half.responseBytes], ["failed", 200, 4]);
    await service.close();
    const { status } = await request(site, "/down", { headers: { accept: "application/json" } });
    assert.equal(status, 502);
    const down = await recorded(inspector, "path:/down");
    assert.deepEqual([down.status, down.answeredBy], [502, "gateway"]);
  });

  it("exports a HAR that a browser can be served from", async function () {
    needProgram(this, "chromium");
    const service = await startHttp(scope, (incoming, response) => {
      if (incoming.url === "/app.js") {
        response.setHeader("Content-Type", "text/javascript");
        response.end('fetch("/data").then((r) => r.json()).then((d) => (document.title = d.name));');
      } else if (incoming.url === "/data") {
        response.setHeader("Content-Type", "application/json");
        response.end('{"name":"from the archive ü"}');
      } else {
        response.setHeader("Content-Type", "text/html; charset=utf-8");
        response.end('<!doctype html><link rel="icon" href="data:,"><script src="/app.js"></script>');
      }
    });
    const { site, inspector } = await expose(`http://127.0.0.1:${service.port}`);
    const { code } = await run("curl", [
      ...["--silent", "--fail", "--cacert", site.caPath, "--resolve", `${site.hostname}:${site.port}:127.0.0.1`],
      ...[`${site.origin}/`, `${site.origin}/app.js`, `${site.origin}/data`],
    ]);
    assert.equal(code, 0);
    await recorded(inspector, "path:/data");
    const path = join(await scope.folder(), "site.har");
    await writeFile(path, (await inspector.export({ format: "har", ids: [] })).text);
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--headless", "--no-sandbox", "--disable-gpu"],
    });
    scope.defer(() => browser.close());
    const context = await browser.newContext();
    await context.routeFromHAR(path, { notFound: "abort" });
    const page = await context.newPage();
    await page.goto(`${site.origin}/`);
    await page.waitForFunction("document.title !== ''");
    assert.equal(await page.title(), "from the archive ü");
  });
});
