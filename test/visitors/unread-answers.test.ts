import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { RequestListener } from "node:http";
import { longestTimerMs } from "@porthole/common/util";
import { UnreadAnswers } from "@porthole/tunnel/gateway";
import {
  closed,
  connectVisitor,
  get,
  soon,
  startHttp,
  startTunnel,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";
import { connectHttp2 } from "./visits.ts";

const kibi = 1024;
const mebi = 1024 * kibi;

describe("Answers that visitors do not read", function () {
  this.timeout(240_000);
  const scope = useScope();

  async function expose(bounds: { readonly maxConnectionBytes: number; readonly maxBytes: number }, mode = "http") {
    const service = await startHttp(scope, answer);
    const args = ["--mode", mode];
    const { site, client } = await startTunnel(scope, {
      transport: "http2",
      local: String(service.port),
      client: { args },
    });
    const unread = new UnreadAnswers({ ...bounds, patienceMs: longestTimerMs }, scope.clock);
    client.endpoints[0]?.gateway.update({ unread });
    return { site, unread };
  }

  /** `/` is short, everything else has no end. */
  const answer: RequestListener = (request, response) => {
    if (request.url === "/") return void response.end("short");
    const block = Buffer.alloc(64 * kibi);
    const more = (): void => {
      while (!response.destroyed && response.write(block));
    };
    response.on("drain", more);
    more();
  };

  /** Sends requests and takes nothing of what comes, by a window of no bytes. */
  async function unreadStreams(site: Site, count: number): Promise<readonly ClientHttp2Stream[]> {
    const session: ClientHttp2Session = await connectHttp2(scope, site, { settings: { initialWindowSize: 0 } });
    return Array.from({ length: count }, () => {
      const stream = session.request({ ":path": "/endless" });
      stream.on("error", () => {});
      return stream;
    });
  }

  async function unreadDownload(site: Site) {
    const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
    visitor.on("error", () => {});
    visitor.write(`GET /endless HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`);
    return visitor;
  }

  it("are ended where a connection holds the most, and all others are served", async () => {
    const bounds = { maxConnectionBytes: 2 * mebi, maxBytes: 5 * mebi };
    const { site, unread } = await expose(bounds);
    const modest: ClientHttp2Stream[] = [];
    const greedy: ClientHttp2Stream[] = [];
    for (let round = 0; round < 10; round++) {
      greedy.push(...(await unreadStreams(site, 60)));
      for (let each = 0; each < 15; each++) modest.push(...(await unreadStreams(site, 1)));
    }
    await until(() => unread.ended > 0, "an answer that is ended");
    const ended = (): ClientHttp2Stream[] => greedy.filter(({ closed: isClosed }) => isClosed);
    await until(() => ended().length > 0, "a visitor that is told");
    assert.ok(ended().every(({ rstCode }) => rstCode === http2.constants.NGHTTP2_ENHANCE_YOUR_CALM));
    assert.equal(await get(site), "short");
    await until(() => unread.bytes <= bounds.maxBytes, "room");
    assert.equal(modest.filter(({ closed: isClosed }) => isClosed).length, 0);
    assert.equal(modest.length, 150);
    for (const { session } of [...modest, ...greedy]) session?.destroy();
    await until(() => unread.connections === 0, "the end of all connections");
    assert.equal(unread.bytes, 0);
  });

  for (const mode of ["http", "tcp"] as const)
    it(`are ended over HTTP/1.1, in mode ${mode}`, async () => {
      const bounds = { maxConnectionBytes: 2 * mebi, maxBytes: 512 * kibi };
      const { site, unread } = await expose(bounds, mode);
      const visitors = await Promise.all(Array.from({ length: 20 }, () => unreadDownload(site)));
      const ends = visitors.map((visitor) => closed(visitor));
      await until(() => unread.ended > 0, "an answer that is ended");
      assert.equal(await get(site), "short");
      // A visitor that reads again sees that the connection broke off.
      for (const visitor of visitors) visitor.resume();
      await soon(Promise.race(ends), "the end of a connection");
      for (const visitor of visitors) visitor.destroy();
      await until(() => unread.connections === 0, "the end of all connections");
      assert.equal(unread.bytes, 0);
    });

  it("are waited for where nothing is short", async () => {
    const { site, unread } = await expose({ maxConnectionBytes: 2 * mebi, maxBytes: 64 * mebi });
    const streams = await unreadStreams(site, 80);
    await until(
      () => unread.bytes >= 80 * 15 * kibi,
      () => `all answers to wait: ${unread.bytes} bytes of ${unread.connections} connections`,
    );
    assert.equal(await get(site), "short");
    assert.deepEqual([unread.ended, streams.filter((stream) => stream.closed).length], [0, 0]);
    assert.ok(unread.bytes < 80 * 40 * kibi, `${unread.bytes} bytes wait for 80 visitors`);
    const [first] = streams;
    assert.ok(first);
    const session = first.session;
    session?.settings({ initialWindowSize: 10 * mebi });
    const [chunk] = (await soon(once(first, "data"), "the rest of an answer")) as [Buffer];
    assert.ok(chunk.length > 0);
    session?.destroy();
    await until(() => unread.connections === 0, "the end of the connection");
    assert.equal(unread.bytes, 0);
  });
});
