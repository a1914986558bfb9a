import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { skipUnless } from "@porthole/testing/skip";
import {
  get,
  hashOf,
  isFull,
  sized,
  overEachTransport,
  readAll,
  readText,
  request,
  siteAt,
  soon,
  source,
  startCli,
  startH2c,
  startHttp,
  startTestRelay,
  startTunnel,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";
import { ask, connectHttp2 } from "./visits.ts";

const mebibyte = 1024 * 1024;
const uploadBytes = sized(64, 2048) * mebibyte;

describe("Streams through the gateway", function () {
  this.timeout(120_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("server-sent events arrive at once over HTTP/2, the first one, too", async () => {
      let stream: ServerResponse | undefined;
      const service = await startHttp(scope, (_incoming, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        stream = response;
        response.flushHeaders();
      });
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const session = await connectHttp2(scope, site);
      const events = session.request({ ":path": "/events", accept: "text/event-stream" });
      events.on("error", () => {});
      const [head] = (await soon(once(events, "response"), "the head before any event")) as [{ ":status": number }];
      assert.equal(head[":status"], 200);
      const delays: number[] = [];
      // One that comes at once shows that nothing waits on the way; this machine may be busy for the others.
      for (let i = 0; i < 20 || (i < 500 && Math.min(...delays) >= 50); i++) {
        const sentAt = performance.now();
        stream?.write(`data: ${i}\n\n`);
        const [chunk] = (await soon(once(events, "data"), `event ${i}`)) as [Buffer];
        delays.push(performance.now() - sentAt);
        assert.equal(chunk.toString(), `data: ${i}\n\n`);
      }
      assert.ok(Math.min(...delays) < 50, `The events took ${delays.map(Math.round).join(", ")} ms`);
      events.close(8);
    });

    it("100 requests at once on one HTTP/2 connection, answered only when all have come, and 900 after them", async () => {
      let present = 0;
      const everyone = until(
        () => present >= 100,
        () => `100 requests had come, not ${present}`,
      );
      everyone.catch(() => {});
      const service = await startHttp(scope, async (incoming, response) => {
        present += 1;
        await everyone;
        response.end(`hello ${incoming.url}`);
      });
      const { site, client } = await startTunnel(scope, { transport, local: service.local });
      const session = await connectHttp2(scope, site);
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => ask(session, { ":path": `/${i}` })));
      assert.deepEqual(
        answers.map(({ status, body }) => `${status} ${body}`),
        answers.map((_answer, i) => `200 hello /${i}`),
      );
      session.close();
      assert.equal((await client.visited(1)).length, 1);
    });

    it("a request's trailers and an answer's arrive", async () => {
      const service = await startHttp(scope, (incoming, response) => {
        incoming.resume().on("end", () => {
          response.writeHead(200, { Trailer: "X-Back" });
          response.write("body");
          response.addTrailers({ "X-Back": `got ${String(incoming.trailers["x-there"])}` });
          response.end();
        });
      });
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const session = await connectHttp2(scope, site);
      const stream = session.request({ ":path": "/", ":method": "POST" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-there": "over HTTP/2" }));
      const trailers = once(stream, "trailers") as Promise<[IncomingHttpHeaders]>;
      stream.end("body");
      assert.equal((await soon(readAll(stream), "the body")).toString(), "body");
      assert.equal((await soon(trailers, "trailers"))[0]["x-back"], "got over HTTP/2");

      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        const sent = https.request(
          { ...target(site), method: "POST", headers: { ...hostOf(site), Trailer: "X-There" } },
          resolve,
        );
        sent.on("error", reject);
        sent.write("body");
        sent.addTrailers({ "X-There": "over HTTP/1.1" });
        sent.end();
      });
      const answer = await soon(answered, "an answer");
      assert.equal(await readText(answer), "body");
      assert.equal(answer.trailers["x-back"], "got over HTTP/1.1");
    });
  });

  it("who asks first whether to send gets the service's own answer", async () => {
    const service = await startHttp(scope, (incoming, response) => void incoming.pipe(response));
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const seen: string[] = [];
    const sent = https.request({
      ...target(site),
      method: "POST",
      headers: { ...hostOf(site), Expect: "100-continue", "Content-Length": 4 },
    });
    sent.on("continue", () => {
      seen.push("continue");
      sent.end("body");
    });
    sent.flushHeaders();
    const [answer] = (await soon(once(sent, "response"), "an answer")) as [IncomingMessage];
    assert.equal(await readText(answer), "body");
    assert.deepEqual(seen, ["continue"]);
  });

  it("early hints arrive before the answer", async () => {
    const service = await startHttp(scope, (_incoming, response) => {
      response.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" }, () => response.end("page"));
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const session = await connectHttp2(scope, site);
    const stream = session.request({ ":path": "/" });
    const [hints] = (await soon(once(stream, "headers"), "hints")) as [IncomingHttpHeaders & { ":status": number }];
    assert.deepEqual([hints[":status"], hints["link"]], [103, "</style.css>; rel=preload; as=style"]);
    assert.equal((await readAll(stream)).toString(), "page");
  });

  it("a service that answers before it has read the body is heard, and the next request is served", async () => {
    const service = await startHttp(scope, (incoming, response) => {
      if (incoming.url === "/") response.writeHead(413).end("too much");
      else response.end("next");
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const { status, body } = await request(site, "/", { method: "POST", body: source(64 * mebibyte).stream }).catch(
      // Who is still sending may see its connection end before it has read the answer.
      () => ({ status: 413, body: undefined }),
    );
    assert.equal(status, 413);
    body?.destroy();
    const session = await connectHttp2(scope, site);
    const stream = session.request({ ":path": "/", ":method": "POST" });
    stream.on("error", () => {});
    stream.write(Buffer.alloc(mebibyte));
    const [head] = (await soon(once(stream, "response"), "the answer")) as [{ ":status": number }];
    assert.equal(head[":status"], 413);
    assert.equal((await ask(session, { ":path": "/next" })).body, "next");
  });

  // What a browser does when a page that is still loading is loaded again. More than 100 lost requests ended the connection, too.
  it("a visitor that cancels 120 requests and sends 120 others in one turn gets each of those answered", async () => {
    const held = new Set<ServerResponse>();
    const service = await startHttp(scope, (incoming, response) => {
      incoming.resume();
      if (incoming.url === "/held") held.add(response.on("close", () => held.delete(response)));
      else response.end("served");
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const session = await connectHttp2(scope, site);
    for (let round = 0; round < 3; round++) {
      const cancelled = Array.from({ length: 120 }, () => session.request({ ":path": "/held" }).on("error", () => {}));
      await until(
        () => held.size > 0,
        () => `requests at the service in round ${round}`,
      );
      for (const stream of cancelled) stream.close(http2.constants.NGHTTP2_CANCEL);
      const answers = await Promise.all(Array.from({ length: 120 }, () => ask(session, { ":path": "/" })));
      assert.ok(answers.every(({ status, body }) => status === 200 && body === "served"));
    }
    session.destroy();
  });

  // Node counts what waited on a cancelled stream for good: 16 KB each were too much after 2,000 of them.
  it(`${sized(200, 3_000)} cancelled downloads on one connection leave it as it was`, async function () {
    this.timeout(sized(60_000, 240_000));
    const service = await startHttp(scope, (incoming, response) => {
      response.end(incoming.url === "/" ? "short" : Buffer.alloc(mebibyte));
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const session = await connectHttp2(scope, site, { settings: { initialWindowSize: 1_000 } });
    let left = sized(200, 3_000);
    const cancel = async (): Promise<void> => {
      while (left-- > 0) {
        const stream = session.request({ ":path": "/large" });
        stream.on("error", () => {});
        await soon(once(stream, "data"), "the begin of a download");
        // Faster ones are a flood: 1,000 at once and 33 a second are allowed.
        if (isFull) await new Promise((resolve) => setTimeout(resolve, 700));
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }
    };
    await Promise.all(Array.from({ length: 20 }, cancel));
    assert.equal((await ask(session, { ":path": "/" })).body, "short");
    session.destroy();
  });

  it("one visitor keeps one connection to the service, and never has another visitor's", async () => {
    const peers: unknown[] = [];
    const service = await startHttp(scope, (incoming, response) => {
      peers.push(incoming.socket.remotePort);
      response.end();
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const [one, other] = [await connectHttp2(scope, site), await connectHttp2(scope, site)];
    for (const session of [one, one, other, one, other]) await ask(session, { ":path": "/" });
    const [a, , b] = peers;
    assert.notEqual(a, b);
    assert.deepEqual(peers, [a, a, b, a, b]);
  });

  it("a service of HTTP/2 without TLS serves visitors of both versions", async () => {
    const service = await startH2c(scope, (incoming, response) => {
      response.setHeader("x-host", incoming.headers["x-forwarded-host"] ?? "");
      incoming.pipe(response);
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    const session = await connectHttp2(scope, site);
    assert.equal((await ask(session, { ":path": "/", ":method": "POST" }, "of HTTP/2")).body, "of HTTP/2");
    const { headers, body } = await request(site, "/", { method: "POST", body: "of HTTP/1.1" });
    assert.equal(await readText(body), "of HTTP/1.1");
    assert.equal(headers["x-host"], `${site.hostname}:${site.port}`);
  });

  it("a service with a certificate of its own making is served", async () => {
    const key = generateKey();
    const { pem } = createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });
    const server = https.createServer({ key: key.pem, cert: pem }, (incoming, response) => {
      response.writeHead(302, { location: `https://${incoming.headers.host}/there` }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    scope.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const { site } = await startTunnel(scope, {
      transport: "http2",
      local: `https://localhost:${port}`,
      client: { args: ["--headers", "localhost"] },
    });
    const { status, headers } = await request(site, "/");
    assert.deepEqual([status, headers.location], [302, `${site.origin}/there`]);
  });

  it(`an upload of ${uploadBytes / mebibyte} MiB arrives whole, in memory that does not grow`, async function () {
    skipUnless(this, process.platform === "linux", "Reads a process's memory from /proc");
    this.timeout(isFull ? 1_200_000 : 120_000);
    const service = await startHttp(scope, async (incoming, response) => {
      response.end(JSON.stringify(await hashOf(incoming)));
    });
    const relay = await startTestRelay(scope);
    const stateDir = await scope.folder();
    const client = startCli(scope, "client", [
      ...[service.local, "--server", `127.0.0.1:${relay.apiPort}`, "--force-h2", "--state-dir", stateDir],
    ]);
    const url = (await client.line(/^URL: /)).slice("URL: ".length);
    await client.line(/^online/);
    const site = siteAt(url, join(stateDir, "primary-self-signed.pem"));
    // Code is loaded and buffers have their size.
    const upload = async (bytes: number): Promise<void> => {
      const file = source(bytes);
      const { body } = await request(site, "/", { method: "PUT", body: file.stream });
      assert.deepEqual(JSON.parse(await readText(body)), { bytes, hash: file.hash() });
    };
    await upload(32 * mebibyte);
    const before = await peakBytes(client.child.pid);
    await upload(uploadBytes);
    const growth = (await peakBytes(client.child.pid)) - before;
    assert.ok(growth < 48 * mebibyte, `The client's memory grew by ${Math.round(growth / mebibyte)} MiB`);
    assert.equal((await client.kill("SIGTERM")).code, 0);
  });

  it("two services share a name by their paths", async () => {
    const say = (word: string) =>
      startHttp(scope, (incoming, response) => void response.end(`${word} ${incoming.url}`));
    const [front, api, admin] = [await say("front"), await say("api"), await say("admin")];
    const { site } = await startTunnel(scope, {
      transport: "http2",
      local: String(front.port),
      client: { args: ["--route", `/api=${api.port}`, "--route", `/api/admin=${admin.local}`] },
    });
    for (const [path, answer] of [
      ["/", "front /"],
      ["/api", "api /api"],
      ["/api/x?y=/", "api /api/x?y=/"],
      ["/apiary", "front /apiary"],
      ["/api/admin/", "admin /api/admin/"],
      ["/?/api", "front /?/api"],
    ])
      assert.equal(await get(site, path), answer);
  });
});

function target({ port, hostname, ca }: Site): https.RequestOptions {
  return { host: "127.0.0.1", port, servername: hostname, ca, agent: false };
}

function hostOf({ hostname, port }: Site): { readonly host: string } {
  return { host: `${hostname}:${port}` };
}

/** The most that a process has ever held in memory. */
async function peakBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
