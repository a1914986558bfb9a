import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { beginExchange, FakeClock, requestHead, tellExchange } from "@porthole/testing";
import { Inspector } from "./inspector.ts";

type Shape = Readonly<Record<string, Kind>>;
type Kind =
  | "string"
  | "number"
  | "boolean"
  | "time"
  | "object"
  | { readonly of: Shape }
  | { readonly list: Shape }
  | { readonly maybe: Kind };

const pair: Shape = { name: "string", value: "string", comment: { maybe: "string" } };

/** HAR 1.2: http://www.softwareishard.com/blog/har-12-spec/ */
const har: Shape = {
  log: {
    of: {
      version: "string",
      creator: { of: { name: "string", version: "string" } },
      browser: { maybe: { of: { name: "string", version: "string" } } },
      pages: { maybe: { list: { startedDateTime: "time", id: "string", title: "string" } } },
      entries: {
        list: {
          pageref: { maybe: "string" },
          startedDateTime: "time",
          time: "number",
          request: {
            of: {
              method: "string",
              url: "string",
              httpVersion: "string",
              cookies: { list: { ...pair, path: { maybe: "string" } } },
              headers: { list: pair },
              queryString: { list: pair },
              postData: { maybe: { of: { mimeType: "string", text: "string", params: { maybe: { list: pair } } } } },
              headersSize: "number",
              bodySize: "number",
            },
          },
          response: {
            of: {
              status: "number",
              statusText: "string",
              httpVersion: "string",
              cookies: { list: pair },
              headers: { list: pair },
              content: {
                of: {
                  size: "number",
                  compression: { maybe: "number" },
                  mimeType: "string",
                  text: { maybe: "string" },
                  encoding: { maybe: "string" },
                  comment: { maybe: "string" },
                },
              },
              redirectURL: "string",
              headersSize: "number",
              bodySize: "number",
            },
          },
          cache: "object",
          timings: {
            of: {
              blocked: { maybe: "number" },
              dns: { maybe: "number" },
              connect: { maybe: "number" },
              ssl: { maybe: "number" },
              send: "number",
              wait: "number",
              receive: "number",
            },
          },
        },
      },
    },
  },
};

function check(value: unknown, kind: Kind, path: string): void {
  if (typeof kind === "string") {
    if (kind === "object") assert.ok(typeof value === "object" && value !== null, path);
    else if (kind === "time") assert.match(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, path);
    else assert.equal(typeof value, kind, path);
    return;
  }
  if ("maybe" in kind) return value === undefined ? undefined : check(value, kind.maybe, path);
  if ("list" in kind) {
    assert.ok(Array.isArray(value), path);
    for (const [index, one] of value.entries()) check(one, { of: kind.list }, `${path}[${index}]`);
    return;
  }
  assert.ok(typeof value === "object" && value !== null, path);
  const given = value as Record<string, unknown>;
  for (const [name, inner] of Object.entries(kind.of)) check(given[name], inner, `${path}.${name}`);
  const strange = Object.keys(given).filter((name) => !Object.hasOwn(kind.of, name) && !name.startsWith("_"));
  assert.deepEqual(strange, [], `${path} has fields that HAR does not have`);
}

interface Entry {
  readonly request: {
    readonly url: string;
    readonly queryString: unknown;
    readonly postData?: unknown;
    readonly cookies: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly content: Record<string, unknown>;
    readonly redirectURL: string;
  };
  readonly timings: Record<string, number>;
  readonly time: number;
  readonly [field: `_${string}`]: unknown;
}

describe("HAR", () => {
  it("has every exchange once and in order, however many there are", async () => {
    const inspector = new Inspector({ clock: new FakeClock() });
    for (let count = 0; count < 50; count++) tellExchange(inspector, { request: { target: `/${count}?"entries":[` } });
    const { exchanges } = await inspector.list({});
    const ids = exchanges.map(({ id }) => id);
    const { text } = await inspector.export({ format: "har", ids });
    const { log } = JSON.parse(text) as { log: { entries: { request: { url: string } }[] } };
    const numbers = log.entries.map(({ request }) => Number(/\/(\d+)\?/.exec(request.url)?.[1]));
    assert.equal(numbers.length, 50);
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, index) => index),
    );
    await inspector.close();
  });

  it("has the structure that its specification asks for, whatever happened", async () => {
    const clock = new FakeClock();
    const inspector = new Inspector({ clock, limits: { maxBodyBytes: 10_000 } });
    const exchange = inspector.begin(
      requestHead({
        target: "/a?b=c%20d&e",
        headers: ["Cookie", "x=1; y=2", "Content-Type", "application/x-www-form-urlencoded"],
        method: "POST",
      }),
    );
    await clock.advance(5);
    exchange?.forwarded({ service: { text: "1", kind: "http", host: "h", port: 1 }, ...requestHead() });
    exchange?.requestChunk(Buffer.from("f=g&h=i%20j"));
    exchange?.requestEnd([]);
    await clock.advance(20);
    exchange?.responseHead({
      status: 302,
      statusText: "Found",
      headers: ["Location", "/z", "Set-Cookie", "s=t; Path=/"],
      by: "service",
    });
    exchange?.responseChunk(Buffer.from([0, 1, 255]));
    await clock.advance(3);
    exchange?.responseEnd([]);
    exchange?.end();
    inspector.begin(requestHead({ target: "*", method: "OPTIONS" }));
    inspector.begin(requestHead())?.end(new PortholeError("closed", "gone"));
    tellExchange(inspector, { responseBody: "x".repeat(20_000), requestBody: Buffer.from([0, 255]) });
    const socket = beginExchange(inspector, {});
    socket?.upgraded({ status: 101, statusText: "", headers: [], by: "service" });
    socket?.upgradeChunk("visitor", Buffer.from([0x81, 2, 0x68, 0x69]));

    const { text, fileName, mediaType } = await inspector.export({ format: "har", ids: [] });
    assert.match(fileName, /^porthole-20260101T000000\.har$/);
    assert.equal(mediaType, "application/json");
    const parsed = JSON.parse(text) as {
      readonly log: { readonly version: string; readonly entries: readonly Entry[] };
    };
    check(parsed, { of: har }, "har");
    assert.equal(parsed.log.version, "1.2");
    const [first, , failed, cut, web] = parsed.log.entries;
    assert.equal(first?.request.url, "https://name.example:8443/a?b=c%20d&e");
    assert.deepEqual(first?.request.queryString, [
      { name: "b", value: "c d" },
      { name: "e", value: "" },
    ]);
    assert.deepEqual(first?.request.postData, {
      mimeType: "application/x-www-form-urlencoded",
      text: "f=g&h=i%20j",
      params: [
        { name: "f", value: "g" },
        { name: "h", value: "i j" },
      ],
    });
    assert.deepEqual(first?.timings, { blocked: 5, dns: -1, connect: -1, ssl: -1, send: 0, wait: 20, receive: 3 });
    assert.equal(first?.time, 28);
    assert.equal(first?.response.redirectURL, "/z");
    assert.deepEqual(first?.response.content, { size: 3, mimeType: "x-unknown", text: "AAH/", encoding: "base64" });
    assert.equal(failed?.response.status, 0);
    assert.equal(cut?.response.content.comment, "Only the beginning was kept.");
    assert.deepEqual(web?.["_webSocketMessages"], [
      { type: "send", time: Date.UTC(2026, 0, 1) / 1_000 + 0.028, opcode: 1, data: "hi" },
    ]);
    await inspector.close();
  });
});
