import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { FakeClock, requestHead, tellExchange } from "@porthole/testing";
import { Inspector } from "./inspector.ts";
import { Redactor } from "./redactor.ts";

const kibi = 1024;
/** What one turn of the event loop may read; see Pace and ReadingThread. */
const mostInATurn = 2 * 64 * kibi;

describe("reading what was recorded", function () {
  this.timeout(120_000);
  let clock: FakeClock;
  let inspector: Inspector;
  const { body, text } = Redactor.prototype;
  let inThisTurn = 0;
  let most = 0;

  /** Counts what this thread reads in each turn of its event loop. */
  before(() => {
    let depth = 0;
    const counting = <A extends [string, ...unknown[]]>(method: (...args: A) => string) =>
      function (this: Redactor, ...args: A): string {
        if (depth === 0) {
          if (inThisTurn === 0) setImmediate(() => (inThisTurn = 0));
          inThisTurn += args[0].length;
          most = Math.max(most, inThisTurn);
        }
        depth += 1;
        try {
          return method.apply(this, args);
        } finally {
          depth -= 1;
        }
      };
    Redactor.prototype.body = counting(body);
    Redactor.prototype.text = counting(text);
  });
  after(() => void Object.assign(Redactor.prototype, { body, text }));

  beforeEach(() => {
    clock = new FakeClock();
    inspector = new Inspector({ clock, redact: ["pin"] });
    most = 0;
  });
  afterEach(async () => {
    await inspector.close();
    assert.equal(clock.pending, 0);
  });

  /** Bytes of visitors that make every reader slow. */
  const pieces = [" ", '"', '"a":', '\\"a\\":\\"', "a=", "<a ", "{", "[{", "'a':'", "\n"];
  const json = ["Content-Type", "application/json"];
  const large = (piece: string): string => `{"pin":"1234","a":"${piece.repeat((900 * kibi) / piece.length)}`;

  it("takes no turn of the event loop for long, whatever visitors have sent", async () => {
    for (const piece of pieces)
      for (const headers of [json, ["Content-Type", "text/plain"], ["Content-Type", "text/html"]])
        tellExchange(inspector, { request: { headers }, requestBody: large(piece), responseBody: "needle" });
    const { exchanges } = await inspector.list({ filter: { text: "pin -absent a" } });
    assert.ok(exchanges.length > 0);
    for (const { id } of exchanges) {
      const view = await inspector.body({ id, side: "request" });
      assert.ok(view.text?.startsWith('{"pin":"<redacted>"'), view.text?.slice(0, 40));
    }
    const { text: curl } = await inspector.export({ format: "curl", ids: [exchanges[0]?.id ?? ""] });
    const { text: har } = await inspector.export({ format: "har", ids: exchanges.map(({ id }) => id) });
    assert.ok(!curl.includes("1234") && !har.includes('"pin\\":\\"1234'));
    assert.ok(most > 0 && most <= mostInATurn, `${most} characters in one turn`);
  });

  it("of what grows when it is decoded", async () => {
    const bomb = gzipSync(`{"pin":"1234","rest":"${" ".repeat(4_000 * kibi)}"}`);
    tellExchange(inspector, { request: { headers: [...json, "Content-Encoding", "gzip"] }, requestBody: bomb });
    const view = await inspector.body({ id: "1", side: "request", limit: 30 });
    assert.equal(view.text, '{"pin":"<redacted>","rest":"  ');
    assert.equal(most, 0, "it is read in the thread");
  });

  it("of a connection's messages", async () => {
    const exchange = inspector.begin(requestHead());
    exchange?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "websocket"], by: "service" });
    const payload = Buffer.from(`{"pin":"1234","x":"${"y".repeat(60_000)}"}`);
    const head = Buffer.from([0x81, 126, payload.length >> 8, payload.length & 0xff]);
    for (let index = 0; index < 10; index++) exchange?.upgradeChunk("service", Buffer.concat([head, payload]));
    const { messages } = await inspector.messages({ id: "1" });
    assert.equal(messages.length, 10);
    assert.ok(messages.every(({ type, text }) => type === "text" && text?.startsWith('{"pin":"<redacted>","x')));
    assert.ok(most <= mostInATurn);
    exchange?.end();
  });

  it("continues at once for what is small, without a thread", async () => {
    tellExchange(inspector, { request: { headers: json }, requestBody: '{"pin":"1234"}' });
    const view = await inspector.body({ id: "1", side: "request" });
    assert.equal(view.text, '{"pin":"<redacted>"}');
    assert.equal(most, 14);
  });
});
