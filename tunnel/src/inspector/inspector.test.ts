import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { PortholeError } from "@porthole/common/errors";
import { beginExchange, FakeClock, requestHead, tellExchange, until, type ToldExchange } from "@porthole/testing";
import { Inspector, type InspectorOptions } from "./inspector.ts";
import type { InspectorChanges } from "./types.ts";

const secret = "hush-hush";

describe("the inspector", () => {
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

  const targets = (filter = ""): string[] =>
    inspector.list({ filter: { text: filter } }).exchanges.map(({ target }) => target);

  describe("the list", () => {
    it("has the newest first, in pages", () => {
      for (let index = 1; index <= 5; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      const first = inspector.list({ limit: 2 });
      assert.deepEqual(
        first.exchanges.map(({ id }) => id),
        ["5", "4"],
      );
      assert.equal(first.more, true);
      const rest = inspector.list({ before: first.exchanges[1]?.seq ?? 0 });
      assert.deepEqual(
        rest.exchanges.map(({ target }) => target),
        ["/3", "/2", "/1"],
      );
      assert.equal(rest.more, false);
    });

    it("takes a request's body for whole with its last byte, also when the answer comes before its end is seen", () => {
      const exchange = inspector.begin(requestHead({ method: "POST", headers: ["Content-Length", "3"] }));
      exchange?.forwarded({
        service: { text: "1", kind: "http", host: "localhost", port: 1 },
        method: "POST",
        target: "/",
        headers: [],
      });
      const replay = () => inspector.detail({ id: "1" }).replay.possible;
      exchange?.requestChunk(Buffer.from("on"));
      assert.equal(replay(), false);
      exchange?.requestChunk(Buffer.from("e"));
      exchange?.responseHead({ status: 200, statusText: "", headers: [], by: "service" });
      exchange?.responseEnd([]);
      exchange?.end();
      assert.equal(replay(), true);
    });

    it("shows what becomes of a request", async () => {
      const exchange = inspector.begin(
        requestHead({ method: "POST", headers: ["Content-Type", "Application/JSON; x=y"] }),
      );
      const row = () => inspector.list({}).exchanges[0];
      assert.equal(row()?.state, "open");
      assert.equal(row()?.status, undefined);
      await clock.advance(5);
      exchange?.requestChunk(Buffer.from("{}"));
      exchange?.responseHead({ status: 404, statusText: "", headers: [], by: "gateway" });
      assert.equal(row()?.status, 404);
      assert.equal(row()?.answeredBy, "gateway");
      exchange?.end(new PortholeError("closed", "gone"));
      exchange?.end();
      const { durationMs, state, error, requestType, requestBytes, startedAt } = row() ?? {};
      assert.deepEqual(
        { durationMs, state, error, requestType, requestBytes, startedAt },
        {
          durationMs: 5,
          state: "failed",
          error: { code: "closed", message: "gone" },
          requestType: "application/json",
          requestBytes: 2,
          startedAt: Date.UTC(2026, 0, 1),
        },
      );
    });

    it("keeps so many and no more, and so many bytes", () => {
      create({ limits: { maxExchanges: 10, maxBytes: 50_000, maxBodyBytes: 20_000 } });
      for (let index = 0; index < 30; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      assert.equal(inspector.status().exchanges, 10);
      assert.equal(inspector.status().evicted, 20);
      assert.deepEqual(targets().at(-1), "/20");
      for (let index = 0; index < 10; index++) tellExchange(inspector, { responseBody: "x".repeat(100_000) });
      assert.ok(inspector.status().bytes <= 50_000, String(inspector.status().bytes));
      assert.ok(inspector.status().exchanges >= 2);
    });

    it("drops ended exchanges before open ones, and open ones when there is nothing else", () => {
      create({ limits: { maxExchanges: 3 } });
      const open = [1, 2].map((index) => inspector.begin(requestHead({ target: `/open-${index}` })));
      for (let index = 0; index < 5; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      assert.deepEqual(targets(), ["/4", "/open-2", "/open-1"]);
      for (let index = 3; index < 6; index++) open.push(inspector.begin(requestHead({ target: `/open-${index}` })));
      assert.deepEqual(targets(), ["/open-5", "/open-4", "/open-3"]);
      // What is gone takes nothing any more.
      const { bytes } = inspector.status();
      open[0]?.requestChunk(Buffer.alloc(1_000));
      open[0]?.end();
      assert.equal(inspector.status().bytes, bytes);
      assert.equal(inspector.status().exchanges, 3);
    });

    it("is empty after clear, and records nothing while it is off", () => {
      tellExchange(inspector);
      inspector.clear();
      assert.deepEqual(targets(), []);
      assert.equal(inspector.status().bytes, 0);
      assert.equal(inspector.setRecording(false).recording, false);
      assert.equal(inspector.begin(requestHead()), undefined);
      inspector.setRecording(true);
      assert.ok(inspector.begin(requestHead()));
    });

    it("says that a request is not there", () => {
      for (const id of ["", "1", "__proto__"])
        assert.throws(() => inspector.detail({ id }), { code: "usage", message: /no request/ });
    });
  });

  describe("the filter", () => {
    beforeEach(() => {
      const told: readonly ToldExchange[] = [
        { request: { target: "/api/users", method: "POST" }, status: 201, requestBody: '{"name":"Ada"}' },
        { request: { target: "/api/items" }, status: 500, error: new PortholeError("closed", "x") },
        {
          request: { target: "/page" },
          responseHeaders: ["Content-Type", "text/html"],
          responseBody: "<b>Hello World</b>",
        },
        {
          request: { target: `/x?token=${secret}`, headers: ["Cookie", `s=${secret}`, "X-Note", "find me"] },
          status: 404,
        },
        {
          request: { target: "/login", method: "POST", headers: ["Content-Type", "application/x-www-form-urlencoded"] },
          requestBody: `user=a&password=${secret}`,
        },
        { request: { target: "/c" }, responseHeaders: ["Content-Encoding", "gzip"], responseBody: gzipSync("packed") },
      ];
      for (const one of told) tellExchange(inspector, one);
    });

    const cases: readonly [string, readonly string[]][] = [
      ["", ["/c", "/login", "/x?token=<redacted>", "/page", "/api/items", "/api/users"]],
      ["method:post", ["/login", "/api/users"]],
      ["method:POST,PUT status:2xx path:api", ["/api/users"]],
      ["status:4xx", ["/x?token=<redacted>"]],
      ["status:5", ["/api/items"]],
      ["status:201,404", ["/x?token=<redacted>", "/api/users"]],
      ["-status:200", ["/x?token=<redacted>", "/api/items", "/api/users"]],
      ["is:failed", ["/api/items"]],
      ["type:html", ["/page"]],
      ["kind:websocket", []],
      ["visitor:192.0.2", ["/c", "/login", "/x?token=<redacted>", "/page", "/api/items", "/api/users"]],
      ['"hello world"', ["/page"]],
      ["HELLO -world", []],
      ["ada", ["/api/users"]],
      ['x-note "find me"', ["/x?token=<redacted>"]],
      [secret, []],
      [`-${secret} path:login`, ["/login"]],
      ["unknown:thing", []],
      ["packed", []],
      ["status:", []],
      ["constructor:x", []],
    ];
    for (const [filter, expected] of cases)
      it(JSON.stringify(filter), () => assert.deepEqual(targets(filter), expected));
  });

  describe("redaction", () => {
    const told: ToldExchange = {
      request: {
        method: "POST",
        target: `/x?api_key=${secret}`,
        headers: [
          "Host",
          "name.example:8443",
          "Authorization",
          `Bearer ${secret}`,
          "Cookie",
          `sid=${secret}`,
          "Content-Type",
          "application/json",
        ],
      },
      requestBody: `{"user":"ada","password":"${secret}"}`,
      responseHeaders: [
        "Set-Cookie",
        `sid=${secret}; Path=/`,
        "Content-Type",
        "application/json",
        "Content-Encoding",
        "gzip",
      ],
      responseBody: gzipSync(`{"accessToken":"${secret}"}`),
    };

    it("holds in everything that is shown, until somebody asks for more", async () => {
      tellExchange(inspector, told);
      const [id] = inspector.list({}).exchanges.map((each) => each.id);
      assert.ok(id);
      const shown = async (unredacted: boolean): Promise<string> =>
        JSON.stringify([
          inspector.list({}),
          inspector.detail({ id, unredacted }),
          await inspector.body({ id, side: "request", unredacted }),
          await inspector.body({ id, side: "response", unredacted }),
        ]);
      assert.ok(!(await shown(false)).includes(secret));
      const all = await shown(true);
      // Target (twice, with the forwarded one), two headers (twice), Set-Cookie, two bodies.
      assert.equal(all.split(secret).length - 1, 9);
    });

    it("takes names of the user's own", () => {
      create({ redact: ["X-Own"] });
      tellExchange(inspector, { request: { headers: ["x-own", secret, "Other", "a"], target: `/?xOwn=${secret}` } });
      const { request, summary } = inspector.detail({ id: "1" });
      assert.deepEqual(request.headers, [
        { name: "x-own", value: "<redacted>", redacted: true },
        { name: "Other", value: "a" },
      ]);
      assert.equal(summary.target, "/?xOwn=<redacted>");
    });
  });

  describe("bodies", () => {
    async function view(contentType: string, body: Buffer | string, more: readonly string[] = []) {
      inspector.clear();
      tellExchange(inspector, { responseHeaders: ["Content-Type", contentType, ...more], responseBody: body });
      const [row] = inspector.list({}).exchanges;
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
      const [row] = inspector.list({}).exchanges;
      const part = await inspector.body({ id: row?.id ?? "", side: "response", offset: 990, limit: 5 });
      assert.equal(part.text, "yyyyy");
      assert.equal(part.nextOffset, 995);
      const unknown = await view("text/plain", "abc", ["Content-Encoding", "rot13"]);
      assert.equal(unknown.decoding, "unknown");
      assert.equal(unknown.base64, Buffer.from("abc").toString("base64"));
    });
  });

  describe("messages", () => {
    it("of a WebSocket are kept within the bound, the newest of them", () => {
      create({ limits: { maxBodyBytes: 10_000 } });
      const exchange = inspector.begin(requestHead());
      exchange?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "WebSocket"], by: "service" });
      for (let index = 1; index <= 100; index++)
        exchange?.upgradeChunk("service", Buffer.from([0x81, 13, ...Buffer.from(`{"token":"${index % 10}"}`)]));
      exchange?.upgradeChunk("visitor", Buffer.from([0x88, 0]));
      const { messages, total, firstKept, more } = inspector.messages({ id: "1", after: 0, limit: 3 });
      assert.equal(total, 101);
      assert.equal(firstKept, messages[0]?.seq);
      assert.ok(firstKept > 50 && more);
      assert.equal(messages[0]?.text, '{"token":"<redacted>"}');
      const [last] = inspector.messages({ id: "1", after: 100 }).messages;
      assert.deepEqual([last?.type, last?.from, last?.seq], ["close", "visitor", 101]);
      assert.match(inspector.messages({ id: "1", after: 99, unredacted: true }).messages[0]?.text ?? "", /"0"/);
      const [row] = inspector.list({ filter: { text: "kind:ws" } }).exchanges;
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
      assert.equal(inspector.messages({ id: "1" }).total, 45_000);
      for (let index = 0; index < 60; index++) exchange?.upgradeChunk("visitor", frames);
      const { total } = inspector.messages({ id: "1" });
      assert.ok(total > 60_000 && total < 65_000, String(total));
      const [last] = inspector.messages({ id: "1", after: total - 1 }).messages;
      assert.equal(last?.type, "invalid");
      assert.match(last?.text ?? "", /too many/);
      assert.equal(inspector.list({}).exchanges[0]?.requestBytes, 105 * 7_000);
    });

    it("of an event stream are read as they come, compressed or not", async () => {
      for (const coding of ["identity", "gzip"]) {
        const text = 'event: login\ndata: {"password":"x"}\n\n';
        const exchange = beginExchange(inspector, {
          responseHeaders: ["Content-Type", "text/event-stream", "Content-Encoding", coding],
          responseBody: coding === "gzip" ? gzipSync(text) : text,
        });
        const [row] = inspector.list({}).exchanges;
        assert.ok(row);
        await until(() => inspector.messages({ id: row.id }).total > 0, "the event was read");
        exchange?.end();
        assert.equal(row.kind, "sse");
        const [message] = inspector.messages({ id: row.id }).messages;
        assert.deepEqual([message?.event?.name, message?.text], ["login", '{"password":"<redacted>"}']);
      }
    });

    it("are none where another protocol took over, whose bytes are kept", async () => {
      const exchange = inspector.begin(requestHead());
      exchange?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "tcp"], by: "service" });
      exchange?.upgradeChunk("service", Buffer.from("raw"));
      exchange?.end();
      assert.equal(inspector.list({}).exchanges[0]?.kind, "upgrade");
      assert.equal((await inspector.body({ id: "1", side: "response" })).text, "raw");
      assert.deepEqual(inspector.messages({ id: "1" }).messages, []);
    });
  });

  describe("changes", () => {
    it("are told together, each row once, and what is gone", async () => {
      create({ limits: { maxExchanges: 2 } });
      const told: InspectorChanges[] = [];
      const end = inspector.subscribe((changes) => told.push(changes));
      for (let index = 0; index < 3; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      assert.equal(told.length, 0);
      await clock.advance(50);
      assert.equal(told.length, 1);
      assert.deepEqual(
        told[0]?.exchanges.map(({ target, state }) => `${target} ${state}`),
        ["/1 done", "/2 done"],
      );
      assert.deepEqual(told[0]?.removed, ["1"]);
      inspector.setRecording(false);
      await clock.advance(50);
      assert.equal(told[1]?.status.recording, false);
      end();
      inspector.setRecording(true);
      tellExchange(inspector);
      assert.equal(clock.pending, 0);
      await clock.advance(100);
      assert.equal(told.length, 2);
    });
  });
});
