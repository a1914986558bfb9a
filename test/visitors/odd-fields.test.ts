import assert from "node:assert/strict";
import {
  connectVisitor,
  startH2c,
  startHttp,
  startTcp,
  startTunnel,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";
import { ask, connectHttp2, heard } from "./visits.ts";

/** What stands in a message of HTTP/1 and may not stand in one of HTTP/2. */
const odd = {
  "what belongs to one connection": "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n",
  "a field twice that may stand once": "Content-Type: a/b\r\nContent-Type: c/d\r\n",
} as const;
const plain = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole";

describe("Fields that one version of HTTP allows and the other does not", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A service that says these bytes to whatever is asked. */
  async function siteSaying(bytes: string): Promise<Site> {
    const service = await startTcp(scope, (socket) =>
      socket.on("data", () => socket.write(bytes)).on("end", () => socket.end()),
    );
    const local = service.local.replace("tcp:", "http:");
    return (await startTunnel(scope, { transport: "http2", local })).site;
  }

  async function askHttp1(site: Site, head = "GET / HTTP/1.1\r\n", body = ""): Promise<string> {
    const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
    visitor.write(`${head}Host: ${site.hostname}\r\nConnection: close\r\n\r\n${body}`);
    return heard(visitor);
  }

  for (const [what, hints, links] of [
    ["several links in one field", "Link: </a.css>; rel=preload; as=style, </b.js>; rel=preload\r\n", 2],
    ["a link that is none", "Link: /a.css\r\n", 0],
    ...Object.entries(odd).map(([name, fields]) => [name, `Link: </a.css>; rel=preload\r\n${fields}`, 1] as const),
  ] as const) {
    it(`a service's early hints with ${what} don't keep its answer back`, async () => {
      const site = await siteSaying(`HTTP/1.1 103 Early Hints\r\n${hints}\r\n${plain}`);
      assert.equal((await ask(await connectHttp2(scope, site), { ":path": "/" })).body, "whole");
      const said = await askHttp1(site);
      assert.match(said, /whole$/);
      assert.equal(said.match(/<\/[ab]\.\w+>/g)?.length ?? 0, links, said);
    });
  }

  for (const [what, fields] of Object.entries(odd)) {
    const chunked = `4\r\nbody\r\n0\r\n${fields}X-Sum: 1\r\n\r\n`;

    it(`a service's trailers with ${what} don't keep its answer back`, async () => {
      const site = await siteSaying(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`);
      const session = await connectHttp2(scope, site);
      for (const method of ["GET", "POST"]) {
        const { body, trailers } = await ask(session, { ":path": "/", ":method": method });
        assert.deepEqual([method, body, trailers["x-sum"]], [method, "body", "1"]);
      }
    });

    it(`a visitor's fields and trailers with ${what} reach a service of HTTP/2 as far as they can`, async () => {
      const service = await startH2c(scope, (incoming, response) => {
        incoming.resume().on("end", () => response.end(`sum ${String(incoming.trailers["x-sum"])}`));
      });
      const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
      const head = `POST / HTTP/1.1\r\n${fields}Transfer-Encoding: chunked\r\n`;
      assert.match(await askHttp1(site, head, chunked), /sum 1/);
      assert.match(await askHttp1(site), /sum undefined/);
    });
  }

  it("fields that are called like properties of every object stay as they are", async () => {
    const names = "Constructor: 1\r\n__proto__: 2\r\n";
    const service = await startH2c(scope, (incoming, response) => {
      const { rawHeaders } = incoming;
      response.end(["constructor", "__proto__"].map((name) => rawHeaders[rawHeaders.indexOf(name) + 1]).join(" and "));
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local });
    assert.match(await askHttp1(site, `GET / HTTP/1.1\r\n${names}`), /1 and 2/);
    const saying = await siteSaying(plain.replace("Content", `${names}Content`));
    const { headers } = await ask(await connectHttp2(scope, saying), { ":path": "/" });
    assert.deepEqual([headers["constructor"], headers["__proto__"]], ["1", "2"]);
  });

  it("a visitor's trailers say nothing that its headers may not say", async () => {
    const service = await startHttp(scope, (incoming, response) => {
      incoming.resume().on("end", () => response.end(`got ${incoming.rawTrailers.join(" ")}.`));
    });
    const { site } = await startTunnel(scope, { transport: "http2", local: `http://127.0.0.1:${service.port}` });
    const trailers = "X-Forwarded-For: 1.1.1.1\r\nX_Real_IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Sum: 1\r\n";
    const head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
    assert.match(await askHttp1(site, head, `4\r\nbody\r\n0\r\n${trailers}\r\n`), /got X-Sum 1\./);
  });
});
