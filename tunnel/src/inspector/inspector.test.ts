import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { PortholeError } from "@porthole/common/errors";
import { FakeClock, requestHead, tellExchange, type ToldExchange } from "@porthole/testing";
import { Inspector, type InspectorOptions } from "./inspector.ts";
import type { InspectorChanges } from "./views.ts";

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

  const targets = async (filter = ""): Promise<string[]> =>
    (await inspector.list({ filter: { text: filter } })).exchanges.map(({ target }) => target);

  describe("the list", () => {
    it("has the newest first, in pages", async () => {
      for (let index = 1; index <= 5; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      const first = await inspector.list({ limit: 2 });
      assert.deepEqual(
        first.exchanges.map(({ id }) => id),
        ["5", "4"],
      );
      assert.equal(first.more, true);
      const rest = await inspector.list({ before: first.exchanges[1]?.seq ?? 0 });
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
      const row = async () => (await inspector.list({})).exchanges[0];
      assert.equal((await row())?.state, "open");
      assert.equal((await row())?.status, undefined);
      await clock.advance(5);
      exchange?.requestChunk(Buffer.from("{}"));
      exchange?.responseHead({ status: 404, statusText: "", headers: [], by: "gateway" });
      assert.equal((await row())?.status, 404);
      assert.equal((await row())?.answeredBy, "gateway");
      exchange?.end(new PortholeError("closed", "gone"));
      exchange?.end();
      const { durationMs, state, error, requestType, requestBytes, startedAt } = (await row()) ?? {};
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

    it("keeps so many and no more, and so many bytes", async () => {
      create({ limits: { maxExchanges: 10, maxBytes: 50_000, maxBodyBytes: 20_000 } });
      for (let index = 0; index < 30; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      assert.equal(inspector.status().exchanges, 10);
      assert.equal(inspector.status().evicted, 20);
      assert.deepEqual((await targets()).at(-1), "/20");
      for (let index = 0; index < 10; index++) tellExchange(inspector, { responseBody: "x".repeat(100_000) });
      assert.ok(inspector.status().bytes <= 50_000, String(inspector.status().bytes));
      assert.ok(inspector.status().exchanges >= 2);
    });

    it("drops ended exchanges before open ones, and open ones when there is nothing else", async () => {
      create({ limits: { maxExchanges: 3 } });
      const open = [1, 2].map((index) => inspector.begin(requestHead({ target: `/open-${index}` })));
      for (let index = 0; index < 5; index++) tellExchange(inspector, { request: { target: `/${index}` } });
      assert.deepEqual(await targets(), ["/4", "/open-2", "/open-1"]);
      for (let index = 3; index < 6; index++) open.push(inspector.begin(requestHead({ target: `/open-${index}` })));
      assert.deepEqual(await targets(), ["/open-5", "/open-4", "/open-3"]);
      // What is gone takes nothing any more.
      const { bytes } = inspector.status();
      open[0]?.requestChunk(Buffer.alloc(1_000));
      open[0]?.end();
      assert.equal(inspector.status().bytes, bytes);
      assert.equal(inspector.status().exchanges, 3);
    });

    it("is empty after clear, and records nothing while it is off", async () => {
      tellExchange(inspector);
      inspector.clear();
      assert.deepEqual(await targets(), []);
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
      it(JSON.stringify(filter), async () => assert.deepEqual(await targets(filter), expected));
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
      const [id] = (await inspector.list({})).exchanges.map((each) => each.id);
      assert.ok(id);
      const shown = async (unredacted: boolean): Promise<string> =>
        JSON.stringify([
          await inspector.list({}),
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
