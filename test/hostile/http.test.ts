import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener } from "node:http";
import {
  closed,
  connectVisitor,
  get,
  hastenedFrom,
  soon,
  startHttp,
  startTunnel,
  until,
  useScope,
} from "@porthole/testing/end-to-end";
import { ask, connectHttp2, heard, say } from "../visitors/visits.ts";
import { nextIsServed, startHttpWorld, type HttpWorld } from "./http-world.ts";

const host = "Host: NAME\r\n";
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: NAME\r\n\r\n";
/** What is sent, and the status that it is refused with; undefined: the connection just ends. */
const refused: Readonly<Record<string, readonly [string, number | undefined]>> = {
  "Content-Length with Transfer-Encoding": [
    `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  "Transfer-Encoding with Content-Length": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  "two Content-Lengths": [`POST / HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`, 400],
  "a signed Content-Length": [`POST / HTTP/1.1\r\n${host}Content-Length: +0\r\n\r\n`, 400],
  "a coding that nobody knows": [`POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 501],
  "a coding before chunked": [`POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
  "chunked twice": [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  "chunks in HTTP/1.0": [`POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  "a folded header": [`GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, 400],
  "a bare line feed": [`GET / HTTP/1.1\n${host}\n`, 400],
  "a bare line feed between headers": [`GET / HTTP/1.1\r\nHost: NAME\nX: y\r\n\r\n`, 400],
  "a bare carriage return": [`GET / HTTP/1.1\r\n${host}X: a\rY: b\r\n\r\n`, 400],
  "a space before the colon": [`GET / HTTP/1.1\r\nHost : NAME\r\n\r\n`, 400],
  "a NUL in a header": [`GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`, 400],
  "two Hosts": [`GET / HTTP/1.1\r\n${host}Host: other.example\r\n\r\n`, 400],
  "the same Host twice": [`GET / HTTP/1.1\r\n${host}${host}\r\n`, 400],
  "no Host": ["GET / HTTP/1.1\r\n\r\n", 400],
  "a Host that is not ours": ["GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", 421],
  "a Host that begins as ours": ["GET / HTTP/1.1\r\nHost: NAME.evil.example\r\n\r\n", 421],
  "a Host with a user": ["GET / HTTP/1.1\r\nHost: user@NAME\r\n\r\n", 400],
  "an absolute form that is not ours": [`GET http://other.example/ HTTP/1.1\r\n${host}\r\n`, 421],
  "a target that is no path": [`GET other HTTP/1.1\r\n${host}\r\n`, 400],
  "a fragment": [`GET /a#b HTTP/1.1\r\n${host}\r\n`, 400],
  "a space in the path": [`GET /a b HTTP/1.1\r\n${host}\r\n`, 400],
  "invalid UTF-8 in the path": [`GET /\xff\xfe HTTP/1.1\r\n${host}\r\n`, 400],
  "a method that does not exist": [`FETCH / HTTP/1.1\r\n${host}\r\n`, 400],
  CONNECT: [`CONNECT NAME:443 HTTP/1.1\r\n${host}\r\n`, 405],
  "HTTP/0.9": ["GET /\r\n\r\n", 505],
  "another version": [`GET / HTTP/3.7\r\n${host}\r\n`, 400],
  "an expectation that nobody knows": [`GET / HTTP/1.1\r\n${host}Expect: miracles\r\n\r\n`, 417],
  "an oversized header": [`GET / HTTP/1.1\r\n${host}X: ${"a".repeat(40_000)}\r\n\r\n`, 431],
  "bytes that mean nothing": ["\x16\x03\x01\x02\x00 hello\r\n\r\n", 400],
};

describe("Requests that are refused", function () {
  this.timeout(120_000);
  const scope = useScope({ lasts: "suite" });
  let world: HttpWorld;
  before(async () => (world = await startHttpWorld(scope)));

  for (const [what, [bytes, status]] of Object.entries(refused)) {
    it(`${what}: one clean answer, nothing reaches the service, and the next visitor is served`, async () => {
      const { site, seen } = world;
      const answer = await say(scope, site, bytes.replaceAll("NAME", site.hostname));
      const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, code]) => Number(code));
      assert.deepEqual(statuses, status === undefined ? [] : [status], answer);
      if (status !== undefined) assert.match(answer, /^connection: close\r$/im);
      assert.deepEqual(seen.splice(0), []);
      await nextIsServed(site);
    });
  }
});

describe("Requests that mean no good", function () {
  this.timeout(120_000);
  const scope = useScope();
  const world = (handler?: RequestListener): Promise<HttpWorld> => startHttpWorld(scope, handler);

  it("broken chunks end in one clean answer, and the service sees that the body is not whole", async () => {
    for (const chunks of ["zz\r\nabc\r\n", "3\nabc\n0\n\n", "5\r\nabc\r\n0\r\n\r\n", "3;\0\r\nabc\r\n"]) {
      const aborted: Promise<unknown>[] = [];
      const { site, seen } = await world((incoming) => {
        incoming.on("error", () => {}).resume();
        aborted.push(closed(incoming));
      });
      const answer = await say(
        scope,
        site,
        `POST / HTTP/1.1\r\nHost: ${site.hostname}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n${chunks}`,
      );
      assert.match(answer, /^HTTP\/1\.1 400 /);
      await Promise.all(aborted);
      assert.ok(seen.every(({ complete }) => !complete));
      await nextIsServed(site);
    }
  });

  it("heads and bodies that do not continue are dropped, and the next visitor is served", async () => {
    const bodies: IncomingMessage[] = [];
    const service = await startHttp(scope, (incoming, response) => {
      if (incoming.method === "GET") return void response.end("served");
      bodies.push(incoming.on("error", () => {}).resume());
    });
    // A minute is three seconds.
    const client = { clock: hastenedFrom(60_000, scope.clock, 20) };
    const { site } = await startTunnel(scope, { transport: "http2", local: service.local, client });
    const post = `POST / HTTP/1.1\r\nHost: ${site.hostname}\r\nContent-Length: 100\r\n\r\nhalf`;
    const [head, body, silence] = await Promise.all([
      say(scope, site, "GET / HT"),
      say(scope, site, post),
      say(scope, site, ""),
    ]);
    assert.match(head, /^HTTP\/1\.1 408 /);
    assert.match(body, /^HTTP\/1\.1 408 /);
    assert.equal(silence, "");
    await until(() => bodies[0]?.closed === true, "the service had noticed");
    assert.equal(bodies[0]?.complete, false);
    assert.equal(await get(site), "served");
  });

  for (const [what, fields, body] of [
    ["h2c", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", ""],
    ["a made-up one", "Upgrade: tcp\r\n", ""],
    ["a WebSocket after a body", "Upgrade: websocket\r\nContent-Length: 3\r\n", "abc"],
  ] as const) {
    it(`another protocol (${what}) is no way past the checks: the request is an ordinary one`, async () => {
      const { site, seen } = await world();
      const head = `POST / HTTP/1.1\r\nHost: ${site.hostname}\r\nConnection: Upgrade, close\r\n${fields}\r\n`;
      assert.match(await say(scope, site, head + body), /^HTTP\/1\.1 200 OK\r\n[^]*reached$/);
      assert.deepEqual(
        seen.map(({ headers }) => [headers.upgrade, headers["http2-settings"], headers.connection]),
        [[undefined, undefined, undefined]],
      );
    });
  }

  it("a target in absolute form that is ours is what its path says", async () => {
    const { site, seen } = await world();
    const answer = await say(
      scope,
      site,
      `GET http://${site.hostname}/x?y HTTP/1.1\r\nHost: ${site.hostname}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(seen[0]?.url, "/x?y");
  });

  it("bytes in a header that are no UTF-8 arrive as they were, both ways", async () => {
    const { site, seen } = await world((_incoming, response) => {
      response.setHeader("X-Back", "\xe9\xff").end();
    });
    const answer = await say(
      scope,
      site,
      `GET / HTTP/1.1\r\nHost: ${site.hostname}\r\nX-There: \xff\xfe\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(seen[0]?.headers["x-there"], "\xff\xfe");
    assert.match(answer, /^X-Back: \xe9\xff\r$/m);
  });

  it("a thousand requests before the first answer wait unread, and hold nobody else up", async () => {
    const { site, seen } = await world(() => {});
    const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
    visitor.write(`GET / HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`.repeat(1_000));
    await until(() => seen.length > 0, "the first one had come");
    await nextIsServed(site);
    assert.equal(seen.length, 1);
  });

  it("a few requests before the first answer are answered in their order, one at a time", async () => {
    let atOnce = 0;
    const { site } = await world((incoming, response) => {
      atOnce += 1;
      setImmediate(() => {
        assert.equal(atOnce, 1);
        atOnce -= 1;
        response.end(incoming.url);
      });
    });
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`;
    const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
    visitor.end(`${ask("/1")}${ask("/2")}${ask("/3")}`);
    const answer = await heard(visitor);
    assert.deepEqual(answer.match(/\/\d(?=HTTP|$)/g), ["/1", "/2", "/3"]);
  });

  it("HTTP/2 with another authority, or one that Host contradicts, is refused, and the connection continues", async () => {
    const { site, seen } = await world();
    const session = await connectHttp2(scope, site);
    const other = await ask(session, { ":path": "/", ":authority": "other.example" });
    assert.equal(other.status, 421);
    await assert.rejects(
      ask(session, { ":path": "/", ":authority": site.hostname, host: "other.example" }),
      /PROTOCOL_ERROR/,
    );
    assert.deepEqual(seen, []);
    assert.equal((await ask(session, { ":path": "/next" })).body, "served");
  });

  it("HTTP/2 with an oversized header is refused, and the next visitor is served", async () => {
    const { site, seen } = await world();
    const session = await connectHttp2(scope, site);
    assert.equal((await ask(session, { ":path": "/", "x-big": "a".repeat(60_000) })).status, 431);
    // Beyond what the session reads of a head.
    await assert.rejects(ask(session, { ":path": "/", "x-big": "a".repeat(120_000) }));
    assert.deepEqual(seen, []);
    await nextIsServed(site);
  });

  it("HTTP/2 visitors who cancel 3,000 requests take nobody along", async () => {
    const { site, seen } = await world(() => {});
    const session = await connectHttp2(scope, site);
    while (seen.length < 3_000 && !session.destroyed && !session.closed) {
      const before = seen.length;
      const streams = Array.from({ length: 50 }, () => session.request({ ":path": "/" }));
      for (const stream of streams) stream.on("error", () => {});
      await until(
        () => seen.length >= before + streams.length || session.destroyed,
        () => `request ${before + streams.length} had come, not only ${seen.length}`,
      );
      const gone = streams.filter((stream) => !stream.destroyed).map((stream) => closed(stream));
      for (const stream of streams) stream.close(8);
      await soon(Promise.all(gone), "the streams to be closed");
    }
    await nextIsServed(site);
  });

  it("HTTP/2 requests that are reset at once cost next to nothing, but for the first of them", async () => {
    const { site, seen, client } = await world();
    const visitor = await connectVisitor(scope, site, { alpn: ["h2"] });
    const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
      const head = Buffer.alloc(9);
      head.writeUIntBE(payload.length, 0, 3);
      head.writeUInt8(type, 3);
      head.writeUInt8(flags, 4);
      head.writeUInt32BE(stream, 5);
      return Buffer.concat([head, payload]);
    };
    const name = Buffer.from(site.hostname);
    const fields = Buffer.concat([Buffer.of(0x82, 0x87, 0x84, 0x01, name.length), name]);
    const frames: Buffer[] = [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, Buffer.alloc(0))];
    for (let stream = 1; stream < 400; stream += 2)
      frames.push(frame(1, 5, stream, fields), frame(3, 0, stream, Buffer.from([0, 0, 0, 8])));
    // The last one stays: once it is answered, all before it have been seen.
    frames.push(frame(1, 5, 401, fields));
    visitor.resume().write(Buffer.concat(frames));
    await until(() => seen.length > 0, "a request");
    await nextIsServed(site);
    const { exchanges } = await client.policy.inspector.list({ limit: 1_000 });
    assert.ok(exchanges.length <= 24, `${exchanges.length} of 201 requests began`);
    visitor.destroy();
  });
});
