import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { memoryPipe } from "@porthole/testing/memory-pipe";
import { limits } from "../limits.ts";
import { FakeClock } from "@porthole/testing/fake-clock";
import { awaitFirstBytes, spokenBy } from "./first-bytes.ts";

describe("the first bytes", () => {
  for (const [text, spoken] of [
    ["GET / HTTP/1.1", "http1"],
    ["OPTIONS * HTTP/1.1", "http1"],
    ["POST http://x/ HTTP/1.1", "http1"],
    ["M-SEARCH * HTTP/1.1", "http1"],
    ["PRI * HTTP/2.0\r\n", "http2"],
    ["", undefined],
    ["GET", undefined],
    ["GET ", undefined],
    ["PR", undefined],
    ["PRI * HTTP/2", undefined],
    ["POST http", undefined],
    ["GET key", "raw"],
    ["GETX /", "raw"],
    ["get / HTTP/1.1", "raw"],
    ["OPTIONS sip:x", "raw"],
    ["CONNECT x:1", "raw"],
    ["\x16\x03\x01", "raw"],
    ["EHLO", "raw"],
  ] as const) {
    it(`${JSON.stringify(text)} is ${spoken ?? "not enough"}`, () =>
      assert.equal(spokenBy(Buffer.from(text, "latin1")), spoken));
  }

  function world() {
    const clock = new FakeClock();
    const [visitor, ours] = memoryPipe();
    const [theirs, service] = memoryPipe();
    let connected = 0;
    const first = awaitFirstBytes(ours, {
      clock,
      connect() {
        connected += 1;
        return Promise.resolve(theirs);
      },
    });
    return { clock, visitor, ours, service, first, connected: () => connected };
  }

  it("are looked at once each, and put back", async () => {
    const { clock, visitor, ours, first, connected } = world();
    for (const piece of ["G", "ET ", "/x HTTP"]) {
      visitor.write(piece);
      await turn();
    }
    assert.deepEqual(await first, { spoken: "http1", service: undefined, rest: undefined });
    assert.equal(String(ours.read()), "GET /x HTTP");
    assert.deepEqual([connected(), clock.pending], [0, 0]);
  });

  it("that are not enough, and the last, are handed on", async () => {
    const { clock, visitor, first } = world();
    visitor.end("POS");
    const { spoken, rest } = await first;
    assert.deepEqual([spoken, String(rest)], ["raw", "POS"]);
    assert.equal(clock.pending, 0);
  });

  it("may be the service's", async () => {
    const { clock, service, first } = world();
    await clock.advance(limits.silentVisitorMs);
    service.write("220 welcome");
    const { spoken, service: opened } = await first;
    assert.equal(spoken, "raw");
    assert.equal(String(opened?.read()), "220 welcome");
    assert.equal(clock.pending, 0);
  });

  it("that never come are no HTTP", async () => {
    const { clock, first, connected } = world();
    await clock.advance(limits.httpHeadDeadlineMs);
    assert.equal((await first).spoken, "raw");
    assert.deepEqual([connected(), clock.pending], [1, 0]);
  });
});
