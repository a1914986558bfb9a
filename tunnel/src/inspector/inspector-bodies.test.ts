import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { beginExchange, FakeClock, requestHead, tellExchange, until } from "@porthole/testing";
import { Inspector, type InspectorOptions } from "./inspector.ts";

describe("what the inspector keeps", () => {
  let clock: FakeClock;
  let inspector: Inspector;

  function create(options: Partial<InspectorOptions> = {}): Inspector {
    inspector = new Inspector({ clock, ...options });
    return inspector;
  }

  beforeEach(() => {
    clock = new FakeClock();
    create();
  });
  afterEach(async () => {
    await inspector.close();
    assert.equal(clock.pending, 0);
    assert.equal(inspector.status().bytes, 0);
  });

  describe("bodies", () => {
    async function view(contentType: string, body: Buffer | string, more: readonly string[] = []) {
      inspector.clear();
      tellExchange(inspector, { responseHeaders: ["Content-Type", contentType, ...more], responseBody: body });
      const [row] = (await inspector.list({})).exchanges;
      return inspector.body({ id: row?.id ?? "", side: "response" });
    }

    const png = Buffer.from("89504e470d0a1a0a0000", "hex");
    const cases: readonly [string, string | Buffer, string][] = [
      ["application/json", "{}", "json"],
      ["application/problem+json; charset=utf-8", "{}", "json"],
      ["text/html", "<p>", "html"],
      ["image/svg+xml", "<svg/>", "xml"],
      ["image/png", png, "image"],
      ["application/octet-stream", "plain words", "text"],
      ["", '{"a":1}', "json"],
      ["", png, "binary"],
      ["application/x-thing", Buffer.from([0xff, 0xfe, 0]), "binary"],
      ["text/plain", "", "none"],
      ["text/css", "a{}", "text"],
      ["application/x-www-form-urlencoded", "a=b+c&d=%C3%BC", "form"],
    ];
    for (const [type, body, format] of cases)
      it(`of type "${type}" ${body.length} bytes long are shown as ${format}`, async () => {
        const { format: found, text, base64 } = await view(type, body);
        assert.equal(found, format);
        if (format === "image" || format === "binary") assert.equal(base64, Buffer.from(body).toString("base64"));
        else assert.equal(text, format === "none" ? undefined : String(body));
      });

    it("are read in their charset, and forms as fields", async () => {
      assert.equal((await view("text/plain; charset=iso-8859-1", Buffer.from([0xe9]))).text, "é");
      assert.equal((await view("text/plain; charset=nonsense", "é")).text, "é");
      assert.deepEqual((await view("application/x-www-form-urlencoded", "a=b+c&password=%C3%BC")).fields, [
        { name: "a", value: "b c" },
        { name: "password", value: "<redacted>", redacted: true },
      ]);
    });

    it("are given without their coding, in parts, and say what is missing", async () => {
      create({ limits: { maxBodyBytes: 1_000 } });
      const packed = await view("text/plain", gzipSync("x".repeat(5_000)), ["Content-Encoding", "gzip"]);
      assert.equal(packed.decoding, "decoded");
      assert.equal(packed.decodedBytes, 5_000);
      const cut = await view("text/plain", "y".repeat(1_500));
      assert.deepEqual(cut.info, {
        state: "truncated",
        bytes: 1_500,
        keptBytes: 1_000,
        contentType: "text/plain",
        contentEncoding: "",
      });
      const [row] = (await inspector.list({})).exchanges;
      const part = await inspector.body({ id: row?.id ?? "", side: "response", offset: 990, limit: 5 });
      assert.equal(part.text, "yyyyy");
      assert.equal(part.nextOffset, 995);
      const unknown = await view("text/plain", "abc", ["Content-Encoding", "rot13"]);
      assert.equal(unknown.decoding, "unknown");
      assert.equal(unknown.base64, Buffer.from("abc").toString("base64"));
    });
  });

  describe("messages", () => {
    it("of a WebSocket are kept within the bound, the newest of them", async () => {
      create({ limits: { maxBodyBytes: 10_000 } });
      const exchange = inspector.begin(requestHead());
      exchange?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "WebSocket"], by: "service" });
      for (let index = 1; index <= 100; index++)
        exchange?.upgradeChunk("service", Buffer.from([0x81, 13, ...Buffer.from(`{"token":"${index % 10}"}`)]));
      exchange?.upgradeChunk("visitor", Buffer.from([0x88, 0]));
      const { messages, total, firstKept, more } = await inspector.messages({ id: "1", after: 0, limit: 3 });
      assert.equal(total, 101);
      assert.equal(firstKept, messages[0]?.seq);
      assert.ok(firstKept > 50 && more);
      assert.equal(messages[0]?.text, '{"token":"<redacted>"}');
      const [last] = (await inspector.messages({ id: "1", after: 100 })).messages;
      assert.deepEqual([last?.type, last?.from, last?.seq], ["close", "visitor", 101]);
      assert.match((await inspector.messages({ id: "1", after: 99, unredacted: true })).messages[0]?.text ?? "", /"0"/);
      const [row] = (await inspector.list({ filter: { text: "kind:ws" } })).exchanges;
      assert.deepEqual([row?.messages, row?.responseBytes, row?.requestBytes], [101, 1_500, 2]);
      assert.ok(inspector.status().bytes < 13_000);
    });

    it("of a WebSocket are no longer read when they are too many, and its bytes are still counted", async () => {
      const exchange = inspector.begin(requestHead());
      exchange?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "websocket"], by: "service" });
      const frames = Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61])));
      // As many as that in a second each are not too many.
      for (let second = 0; second < 5; second++) {
        for (let index = 0; index < 9; index++) exchange?.upgradeChunk("visitor", frames);
        await clock.advance(1_000);
      }
      assert.equal((await inspector.messages({ id: "1" })).total, 45_000);
      for (let index = 0; index < 60; index++) exchange?.upgradeChunk("visitor", frames);
      const { total } = await inspector.messages({ id: "1" });
      assert.ok(total > 60_000 && total < 65_000, String(total));
      const [last] = (await inspector.messages({ id: "1", after: total - 1 })).messages;
      assert.equal(last?.type, "invalid");
      assert.match(last?.text ?? "", /too many/);
      assert.equal((await inspector.list({})).exchanges[0]?.requestBytes, 105 * 7_000);
    });

    it("of an event stream are read as they come, compressed or not", async () => {
      for (const coding of ["identity", "gzip"]) {
        const text = 'event: login\ndata: {"password":"x"}\n\n';
        const exchange = beginExchange(inspector, {
          responseHeaders: ["Content-Type", "text/event-stream", "Content-Encoding", coding],
          responseBody: coding === "gzip" ? gzipSync(text) : text,
        });
        const [row] = (await inspector.list({})).exchanges;
        assert.ok(row);
        await until(async () => (await inspector.messages({ id: row.id })).total > 0, "the event was read");
        exchange?.end();
        assert.equal(row.kind, "sse");
        const [message] = (await inspector.messages({ id: row.id })).messages;
        assert.deepEqual([message?.event?.name, message?.text], ["login", '{"password":"<redacted>"}']);
      }
    });

    it("are none where another protocol took over, whose bytes are kept", async () => {
      const exchange = inspector.begin(requestHead());
      exchange?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "tcp"], by: "service" });
      exchange?.upgradeChunk("service", Buffer.from("raw"));
      exchange?.end();
      assert.equal((await inspector.list({})).exchanges[0]?.kind, "upgrade");
      assert.equal((await inspector.body({ id: "1", side: "response" })).text, "raw");
      assert.deepEqual((await inspector.messages({ id: "1" })).messages, []);
    });
  });
});
