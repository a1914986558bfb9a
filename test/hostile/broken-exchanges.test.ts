import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener } from "node:http";
import {
  closed,
  connectVisitor,
  readAll,
  request,
  soon,
  startTcp,
  startTunnel,
  until,
  useScope,
} from "@porthole/testing/end-to-end";
import { ask, connectHttp2 } from "../visitors/visits.ts";
import { nextIsServed, startHttpWorld, type HttpWorld } from "./http-world.ts";

describe("Exchanges that break off", function () {
  this.timeout(120_000);
  const scope = useScope();
  const world = (handler?: RequestListener): Promise<HttpWorld> => startHttpWorld(scope, handler);

  for (const version of ["1.1", "2"] as const) {
    it(`a visitor who leaves in mid-body is gone for the service, too (HTTP/${version})`, async () => {
      const bodies: IncomingMessage[] = [];
      const { site } = await world((incoming) => void bodies.push(incoming.on("error", () => {}).resume()));
      if (version === "2") {
        const session = await connectHttp2(scope, site);
        const stream = session.request({ ":path": "/", ":method": "POST" });
        stream.on("error", () => {});
        stream.write("half");
        await until(() => bodies.length === 1, "the request had come");
        session.destroy();
      } else {
        const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
        visitor.write(`POST / HTTP/1.1\r\nHost: ${site.hostname}\r\nContent-Length: 100\r\n\r\nhalf`);
        await until(() => bodies.length === 1, "the request had come");
        visitor.destroy();
      }
      const [body] = bodies as [IncomingMessage];
      if (!body.closed) await soon(closed(body), "the service to notice");
      assert.equal(body.complete, false);
      await nextIsServed(site);
    });

    it(`a visitor who leaves before the answer is gone for the service, too (HTTP/${version})`, async () => {
      const gone: Promise<void>[] = [];
      const { site } = await world((_incoming, response) => void gone.push(closed(response)));
      if (version === "2") {
        const session = await connectHttp2(scope, site);
        const stream = session.request({ ":path": "/" });
        stream.on("error", () => {});
        await until(() => gone.length === 1, "the request had come");
        stream.close(8);
      } else {
        const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
        visitor.write(`GET / HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`);
        await until(() => gone.length === 1, "the request had come");
        visitor.destroy();
      }
      await soon(Promise.all(gone), "the service to notice");
      await nextIsServed(site);
    });

    for (const [what, head] of [
      ["of a known length", "Content-Length: 100\r\n"],
      ["in chunks", "Transfer-Encoding: chunked\r\n"],
    ] as const) {
      it(`a service that leaves in mid-body ${what} is not taken for one that has ended (HTTP/${version})`, async () => {
        const service = await startTcp(scope, (socket) => {
          socket.once("data", (bytes: Buffer) => {
            if (bytes.includes("GET /next"))
              return void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nserved");
            socket.end(`HTTP/1.1 200 OK\r\n${head}\r\n${head.startsWith("T") ? "4\r\n" : ""}half`);
          });
        });
        const local = service.local.replace("tcp:", "http:");
        const { site } = await startTunnel(scope, { transport: "http2", local });
        if (version === "2") {
          const session = await connectHttp2(scope, site);
          const { status } = await ask(session, { ":path": "/" }).catch(() => ({ status: "broken" }));
          assert.ok(status === 502 || status === "broken");
          assert.equal((await ask(session, { ":path": "/next" })).body, "served");
        } else {
          const { status, body } = await request(site, "/");
          if (status !== 502) await assert.rejects(soon(readAll(body), "the end"));
        }
        await nextIsServed(site);
      });
    }
  }

  for (const [what, bytes] of [
    ["no HTTP at all", "220 mail.example ESMTP\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["a head without an end", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(40_000)}`],
    ["nothing", ""],
  ] as const) {
    it(`a service that answers ${what} is a 502 for its visitor`, async () => {
      const service = await startTcp(scope, (socket) => socket.once("data", () => socket.end(bytes)));
      const local = service.local.replace("tcp:", "http:");
      const { site } = await startTunnel(scope, { transport: "http2", local });
      const { status, body } = await request(site, "/");
      assert.equal(status, 502);
      assert.match((await readAll(body)).toString(), /"code":"service-broke"/);
    });
  }
});
