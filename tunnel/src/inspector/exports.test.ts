import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import {
  beginExchange,
  FakeClock,
  platformReason,
  skipUnless,
  tellExchange,
  type ToldExchange,
} from "@porthole/testing";
import type { ServiceTarget } from "../http/index.ts";
import { Inspector } from "./inspector.ts";
import type { ExportQuery } from "./queries.ts";

interface Received {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const secret = "hush-hush";
const nasty = 'it\'s $HOME `id` \\ "x" !! %s \n\r\t\u001b[31m\u0007 ü 😀 \u202e @file';
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

describe("exports", () => {
  let server: Server;
  let service: ServiceTarget;
  let received: Received[];
  let inspector: Inspector;

  beforeEach(async () => {
    received = [];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { method = "", url = "", rawHeaders } = request;
        received.push({ method, target: url, headers: rawHeaders, body: Buffer.concat(chunks) });
        response.end("seen");
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    service = { text: String(port), kind: "http", host: "127.0.0.1", port };
    inspector = new Inspector({ clock: new FakeClock() });
  });
  afterEach(async () => {
    await inspector.close();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });

  async function tell(told: ToldExchange): Promise<string> {
    const { request = {} } = told;
    const headers = ["Host", `127.0.0.1:${service.port}`, ...(request.headers ?? [])];
    tellExchange(inspector, { ...told, request: { ...request, headers }, service });
    return (await inspector.list({})).exchanges[0]?.id ?? "";
  }

  async function textOf(format: ExportQuery["format"], id: string, unredacted = true): Promise<string> {
    return (await inspector.export({ format, ids: [id], to: "service", unredacted })).text;
  }

  async function run(program: string, input: string): Promise<void> {
    const child = spawn(program, program === "bash" ? ["-s"] : ["--input-type=module", "-"], {
      stdio: ["pipe", "ignore", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += String(chunk)));
    child.stdin.end(program === "bash" ? `set -e -o pipefail\n${input}` : input);
    const [code] = (await once(child, "close")) as [number];
    assert.equal(code, 0, errors);
  }

  const requests: readonly [string, ToldExchange & { readonly except?: "fetch" }][] = [
    ["a plain GET", {}],
    ["a query with everything", { request: { target: "/a/../b//c?x=[1-3]{a,b}&y='\"$(id)`~!*;|<>\\^%20" } }],
    [
      "headers with everything",
      {
        request: {
          headers: [
            "X-Quote",
            'it\'s "$x" `y` \\ !',
            "X-Empty",
            "",
            "X-At",
            "@/etc/passwd",
            "X-Twice",
            "1",
            "X-Twice",
            "2",
          ],
        },
      },
    ],
    [
      "a header in latin1",
      { request: { headers: ["X-Name", Buffer.from("Zoë").toString("latin1"), "X-Raw", "\xe9\xa0b"] } },
    ],
    [
      "a JSON POST",
      { request: { method: "POST", headers: ["Content-Type", "application/json"] }, requestBody: '{"a": 1.0}\r\n' },
    ],
    ["a nasty text", { request: { method: "PUT", headers: ["Content-Type", "text/plain"] }, requestBody: nasty }],
    ["a body that looks like a file", { request: { method: "POST" }, requestBody: "@/etc/passwd" }],
    ["a body without a type", { request: { method: "POST" }, requestBody: "a=b" }],
    [
      "every byte",
      { request: { method: "POST", headers: ["Content-Type", "application/octet-stream"] }, requestBody: everyByte },
    ],
    [
      "half a megabyte",
      { request: { method: "PATCH", headers: ["Content-Type", "text/x"] }, requestBody: "0123456'".repeat(65_536) },
    ],
    [
      "a compressed body",
      { request: { method: "POST", headers: ["Content-Encoding", "gzip"] }, requestBody: gzipSync("x") },
    ],
    [
      "a browser's request",
      {
        request: {
          headers: [
            "User-Agent",
            "Mozilla/5.0 (X11)",
            "Accept",
            "*/*",
            "Accept-Encoding",
            "gzip, br",
            "Cookie",
            "a=b; c=d",
          ],
        },
      },
    ],
    ["HEAD", { request: { method: "HEAD" } }],
    ["OPTIONS", { request: { method: "OPTIONS" } }],
    ["OPTIONS of everything", { request: { method: "OPTIONS", target: "*" }, except: "fetch" }],
    ["a method of their own", { request: { method: "PROPFIND" }, requestBody: "<x/>" }],
    ["GET with a body", { requestBody: "q", except: "fetch" }],
    ["another host", { request: { headers: [] }, forwarded: ["Host", "elsewhere.example"], except: "fetch" }],
  ];

  const plain = ({ headers, ...rest }: Received, ignored: readonly string[]) => ({
    ...rest,
    headers: headers
      .flatMap((name, index) => (index % 2 === 0 ? [`${name.toLowerCase()}: ${headers[index + 1]}`] : []))
      .filter((line) => !ignored.some((name) => line.startsWith(`${name}:`)))
      .sort(),
  });
  const expectedOf = (told: ToldExchange, ignored: readonly string[]) =>
    plain(
      {
        method: told.request?.method ?? "GET",
        target: told.request?.target ?? "/",
        headers: told.forwarded ?? ["Host", `127.0.0.1:${service.port}`, ...(told.request?.headers ?? [])],
        body: Buffer.from(told.requestBody ?? ""),
      },
      ignored,
    );

  describe("curl, run by bash, sends the same bytes:", () => {
    before(function () {
      skipUnless(this, process.platform !== "win32", platformReason("bash and curl of a Unix"));
      skipUnless(this, !spawnSync("curl", ["--version"]).error, "curl is not installed");
    });
    for (const [what, told] of requests)
      it(what, async () => {
        await run("bash", await textOf("curl", await tell(told)));
        assert.equal(received.length, 1);
        assert.deepEqual(plain(received[0] as Received, ["content-length"]), expectedOf(told, []));
      });
  });

  describe("fetch, run by Node, sends the same bytes:", () => {
    // What fetch always sends.
    const own = [
      "content-length",
      "connection",
      "accept-language",
      "sec-fetch-mode",
      "accept-encoding",
      "user-agent",
      "accept",
    ];
    for (const [what, told] of requests.filter(([, { except }]) => except !== "fetch"))
      it(what, async () => {
        const code = await textOf("fetch", await tell(told));
        await run(process.execPath, code);
        const [got] = received;
        assert.ok(got);
        const hasType = told.request?.headers?.includes("Content-Type");
        const ignored = [...own, ...(hasType ? [] : ["content-type"])];
        const expected = expectedOf(told, ignored);
        const target = new URL(expected.target, "http://x").pathname + new URL(expected.target, "http://x").search;
        const twice = expected.headers.filter((line) => !line.startsWith("x-twice"));
        const seen = plain(got, ignored);
        assert.deepEqual(
          { ...seen, headers: seen.headers.filter((line) => !line.startsWith("x-twice")) },
          { ...expected, target, headers: twice },
        );
      });
  });

  it("never emit what a terminal would obey", async () => {
    const id = await tell({ request: { method: "POST", headers: ["X-A", "a\u009b31mb"] }, requestBody: nasty });
    for (const format of ["curl", "fetch", "har"] as const) {
      const text = await textOf(format, id);
      assert.doesNotMatch(text, /[^\P{Cc}\n]|\p{Cf}/u, format);
    }
  });

  it("take secrets out unless they are asked for, in every format", async () => {
    const id = await tell({
      request: {
        method: "POST",
        target: `/?access_token=${secret}`,
        headers: [
          "Authorization",
          `Bearer ${secret}`,
          "Cookie",
          `a=${secret}`,
          "Proxy-Authorization",
          secret,
          "Content-Type",
          "application/json",
        ],
      },
      requestBody: `{"password":"${secret}"}`,
      responseHeaders: [
        "Set-Cookie",
        `a=${secret}; Path=/`,
        "Location",
        `/?token=${secret}`,
        "Content-Type",
        "application/json",
      ],
      responseBody: `{"token":"${secret}"}`,
    });
    const form = await tell({
      request: { method: "POST", headers: ["Content-Type", "application/x-www-form-urlencoded"] },
      requestBody: `password=${secret}&a=b`,
    });
    const socket = beginExchange(inspector, {});
    socket?.upgraded({ status: 101, statusText: "", headers: ["Upgrade", "websocket"], by: "service" });
    socket?.upgradeChunk("service", Buffer.from([0x81, 22, ...Buffer.from(`{"secret":"${secret}"}`)]));
    socket?.end();
    for (const to of ["public", "service"] as const)
      for (const format of ["curl", "fetch", "har"] as const)
        for (const one of [id, form]) {
          const { text, notes } = await inspector.export({ format, ids: [one], to });
          assert.ok(!text.includes(secret), `${format}:\n${text}`);
          assert.match(notes.join(" "), /taken out/);
          assert.ok((await inspector.export({ format, ids: [one], to, unredacted: true })).text.includes(secret));
        }
    const all = (await inspector.export({ format: "har", ids: [] })).text;
    assert.ok(!all.includes(secret), all);
    assert.equal(all.split("redacted").length > 10, true);
  });

  it("of thousands of requests stay of a size that can be read", async () => {
    const large = gzipSync(Buffer.alloc(7 * 1024 * 1024, "x"));
    for (let index = 0; index < 40; index++)
      await tell({ responseHeaders: ["Content-Type", "text/plain", "Content-Encoding", "gzip"], responseBody: large });
    const { text, notes } = await inspector.export({ format: "har", ids: [] });
    assert.ok(text.length < 22 * 1024 * 1024, String(text.length));
    assert.match(notes.join(" "), /above 12 MiB in all were left out/);
    const { log } = JSON.parse(text) as { log: { entries: readonly unknown[] } };
    assert.equal(log.entries.length, 40);
  });

  it("say what they can't do", async () => {
    const id = await tell({});
    await assert.rejects(inspector.export({ format: "curl", ids: [id, id] }), { code: "usage" });
    await assert.rejects(inspector.export({ format: "curl", ids: ["99"] }), { code: "usage" });
    tellExchange(inspector, { forwarded: undefined });
    await assert.rejects(inspector.export({ format: "curl", ids: ["2"], to: "service" }), { code: "usage" });
    const { text } = await inspector.export({ format: "curl", ids: ["2"] });
    assert.match(text, /https:\/\/name\.example:8443\/\n$/);
  });
});
