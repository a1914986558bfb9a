import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { FakeClock, tellExchange, until, type ToldExchange } from "@porthole/testing";
import type { ServiceTarget } from "../http/index.ts";
import { Inspector } from "./inspector.ts";
import type { ReplayEdit } from "./queries.ts";
import type { ExchangeSummary } from "./views.ts";

/** A service that keeps what it got, byte for byte, and answers as it is told. */
describe("replay", () => {
  let server: Server;
  let service: ServiceTarget;
  let inspector: Inspector;
  let got: Buffer[];
  let answer: string | undefined;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    got = [];
    answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: yes\r\n\r\nok";
    server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      let bytes = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        const end = bytes.indexOf("\r\n\r\n");
        const length = Number(/content-length: (\d+)/i.exec(bytes.toString("latin1", 0, end))?.[1] ?? 0);
        if (end < 0 || bytes.length < end + 4 + length) return;
        got.push(bytes);
        if (answer === undefined) socket.destroy();
        else if (answer !== "") socket.end(answer, "latin1");
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    service = { text: String(port), kind: "http", host: "127.0.0.1", port };
    inspector = new Inspector({ clock: new FakeClock(), limits: { maxBodyBytes: 100_000 } });
  });
  afterEach(async () => {
    await inspector.close();
    for (const socket of sockets) socket.destroy();
    const closed = once(server, "close");
    server.close();
    await closed;
  });

  async function tell(told: ToldExchange = {}): Promise<string> {
    tellExchange(inspector, { service, ...told });
    return (await inspector.list({})).exchanges[0]?.id ?? "";
  }

  async function replay(id: string, edit?: ReplayEdit): Promise<ExchangeSummary> {
    const { id: replayed } = await inspector.replay({ id, ...(edit && { edit }) });
    const summary = (): ExchangeSummary => inspector.detail({ id: replayed }).summary;
    await until(() => summary().state !== "open", "the replay was over");
    return summary();
  }

  function parts(bytes: Buffer | undefined): {
    readonly line: string;
    readonly headers: readonly string[];
    readonly body: Buffer;
  } {
    assert.ok(bytes);
    const end = bytes.indexOf("\r\n\r\n");
    const [line = "", ...headers] = bytes.toString("latin1", 0, end).split("\r\n");
    return { line, headers, body: bytes.subarray(end + 4) };
  }

  const webhook = Buffer.from('{"id":"evt_1",  "amount": 10.50,\r\n "name":"\xff\0"}', "latin1");
  const told: ToldExchange = {
    request: { method: "POST", target: "/hook?a=%20b&token=t", headers: ["Host", "name.example"] },
    forwarded: [
      ...["Host", "localhost:3000", "Stripe-Signature", "t=1,v1=ab", "authorization", "Bearer x", "Cookie", "s=1"],
      ...[
        "Connection",
        "keep-alive, X-Hop",
        "X-Hop",
        "1",
        "Transfer-Encoding",
        "chunked",
        "Content-Type",
        "application/json",
        "X-Two",
        "1",
        "X-Two",
        "2",
      ],
    ],
    requestBody: webhook,
  };

  it("sends the same bytes, with the hop-by-hop headers of its own connection", async () => {
    const id = await tell(told);
    const summary = await replay(id);
    const { line, headers, body } = parts(got[0]);
    assert.equal(line, "POST /hook?a=%20b&token=t HTTP/1.1");
    assert.deepEqual(body, webhook);
    assert.deepEqual(
      headers.filter((header) => !/^connection:/i.test(header)),
      [
        ...["Host: localhost:3000", "Stripe-Signature: t=1,v1=ab", "authorization: Bearer x", "Cookie: s=1"],
        ...["Content-Type: application/json", "X-Two: 1", "X-Two: 2", `Content-Length: ${webhook.length}`],
      ],
    );
    const { status, state, replayOf, edited, requestBytes } = summary;
    assert.deepEqual(
      { status, state, replayOf, edited, requestBytes },
      {
        status: 200,
        state: "done",
        replayOf: id,
        edited: undefined,
        requestBytes: webhook.length,
      },
    );
    assert.equal((await inspector.body({ id: summary.id, side: "response" })).text, "ok");
    // A replay can be replayed.
    assert.deepEqual(parts((await replay(summary.id), got[1])).body, webhook);
  });

  it("is copied as a visitor would send it, without what the gateway had added", async () => {
    const forwarded = [
      ...["Host", "localhost:3000", "Origin", "http://localhost:3000", "Referer", "http://localhost:3000/a"],
      ...["X-Mine", "1", "X-Forwarded-For", "192.0.2.1", "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.1"],
    ];
    const { id } = await replay(await tell({ forwarded }));
    const { text } = await inspector.export({ format: "curl", ids: [id] });
    assert.doesNotMatch(text, /forwarded|localhost/i);
    assert.match(text, /'X-Mine: 1'/);
    assert.match(text, /'Origin: https:\/\/name\.example:8443'/);
    assert.match(text, /'Referer: https:\/\/name\.example:8443\/a'/);
    const toService = await inspector.export({ format: "curl", ids: [id], to: "service" });
    assert.match(toService.text, /X-Forwarded-For/);
  });

  it("sends what was edited, and keeps what the mark stands for", async () => {
    const id = await tell(told);
    const { request } = inspector.detail({ id });
    const edited = (request.forwarded?.headers ?? [])
      .filter(({ name }) => name !== "X-Two" && name !== "Host")
      .map(({ name, value }) => (name === "Content-Type" ? { name, value: "text/plain" } : { name, value }));
    const summary = await replay(id, {
      method: "PUT",
      target: request.forwarded?.target.replace("a=%20b", "a=c&new=1") ?? "",
      headers: [...edited, { name: "X-Two", value: "<redacted>" }],
      body: { text: "new body ü" },
    });
    const { line, headers, body } = parts(got[0]);
    assert.equal(line, "PUT /hook?a=c&new=1&token=t HTTP/1.1");
    assert.equal(body.toString(), "new body ü");
    for (const header of [
      "Host: localhost:3000",
      "authorization: Bearer x",
      "Cookie: s=1",
      "Content-Type: text/plain",
      "X-Two: 1",
      "Content-Length: 11",
    ])
      assert.ok(headers.includes(header), `${header} in ${headers.join(", ")}`);
    assert.equal(summary.edited, true);
    assert.equal(summary.method, "PUT");
  });

  it("sends a request without a body as it was", async () => {
    await replay(await tell({ request: { target: "/x" } }));
    await replay(await tell({ request: { method: "POST" }, forwarded: ["Host", "a", "Content-Length", "0"] }));
    const [get, post] = got.map((bytes) =>
      bytes
        .toString()
        .toLowerCase()
        .match(/content-length: .*/g),
    );
    assert.equal(get, null);
    assert.deepEqual(post, ["content-length: 0"]);
  });

  const wrong: readonly [string, ReplayEdit, RegExp][] = [
    ["a header's name", { headers: [{ name: "a b", value: "" }] }, /name of a header/],
    ["a header's value", { headers: [{ name: "a", value: "b\r\nc: d" }] }, /characters/],
    ["a mark that stands for nothing", { headers: [{ name: "X-New", value: "<redacted>" }] }, /taken out/],
    ["a target", { target: "http://other.example/" }, /path/],
    ["a target with a space", { target: "/a b" }, /path/],
    ["a mark in the query that stands for nothing", { target: "/?x=<redacted>" }, /query still has/],
    ["a mark in the path", { target: "/<redacted>?token=<redacted>" }, /path still has/],
    ["a mark in the body", { body: { text: '{"password":"<redacted>"}' } }, /body still has/],
    ["a method", { method: "GET /" }, /method/],
    ["a method that is none", { method: "CONNECT" }, /method/],
  ];
  for (const [what, edit, message] of wrong)
    it(`refuses ${what}, and sends nothing`, async () => {
      const id = await tell(told);
      await assert.rejects(inspector.replay({ id, edit }), { code: "usage", message });
      assert.equal(got.length, 0);
      assert.equal(inspector.status().exchanges, 1);
    });

  it("refuses what can't be sent again, and takes a body of one's own in place of a cut one", async () => {
    const large = await tell({ ...told, requestBody: "x".repeat(100_001) });
    await assert.rejects(inspector.replay({ id: large }), { code: "usage", message: /beginning of its body/ });
    assert.deepEqual(inspector.detail({ id: large }).replay, {
      possible: false,
      why: "Only the beginning of its body was kept; give a body of your own.",
    });
    assert.equal((await replay(large, { body: { base64: "AAE=" } })).state, "done");
    assert.deepEqual(parts(got[0]).body, Buffer.from([0, 1]));
    const refused = await tell({ ...told, forwarded: undefined });
    await assert.rejects(inspector.replay({ id: refused }), { message: /never reached/ });
    await assert.rejects(inspector.replay({ id: "none" }), { code: "usage" });
  });

  it("records how it went wrong", async () => {
    const id = await tell(told);
    answer = undefined;
    assert.equal((await replay(id)).state, "failed");
    answer = "nonsense\r\n\r\n";
    assert.equal((await replay(id)).error?.code, "protocol");
    answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut";
    const cut = await replay(id);
    assert.deepEqual([cut.state, cut.status], ["failed", 200]);
    const closed = once(server, "close");
    server.close();
    await closed;
    assert.equal((await replay(id)).error?.code, "service-down");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  it("is broken off when the inspector closes", async () => {
    answer = "";
    const { id } = await inspector.replay({ id: await tell(told) });
    await once(server, "connection");
    assert.equal(inspector.detail({ id }).summary.state, "open");
    await inspector.close();
    assert.equal(inspector.status().exchanges, 0);
  });

  it("speaks HTTP/2 to a service that speaks it", async () => {
    const h2 = http2.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        got.push(Buffer.concat(chunks));
        response.writeHead(202, { "x-authority": request.authority });
        response.end("h2");
      });
    });
    h2.listen(0, "127.0.0.1");
    await once(h2, "listening");
    const { port } = h2.address() as AddressInfo;
    const id = await tell({ ...told, service: { text: "h2c", kind: "h2c", host: "127.0.0.1", port } });
    const summary = await replay(id);
    assert.equal(summary.status, 202);
    assert.deepEqual(got[0], webhook);
    const closed = once(h2, "close");
    h2.close();
    await closed;
  });
});
