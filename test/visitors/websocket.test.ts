import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import tls from "node:tls";
import { chromium, type Browser } from "playwright-core";
import { WebSocket, WebSocketServer, type RawData } from "ws";
import {
  connectVisitor,
  needProgram,
  overEachTransport,
  request,
  soon,
  startHttp,
  startTunnel,
  useScope,
  type Site,
  sized,
} from "@porthole/testing/end-to-end";
import { heard } from "./visits.ts";

const mebibyte = 1024 * 1024;

describe("WebSockets through the gateway", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A service that answers every message with the same one. */
  async function world(transport: "quic" | "http2", args: readonly string[] = []) {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * mebibyte });
    const accepted: WebSocket[] = [];
    const requests: IncomingMessage[] = [];
    sockets.on("connection", (socket, incoming) => {
      accepted.push(socket);
      requests.push(incoming);
      socket.on("error", () => {});
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const service = await startHttp(
      scope,
      (_incoming, response) => void response.setHeader("content-type", "text/html").end("<p>"),
      {
        onUpgrade(incoming, socket, head) {
          if (incoming.url === "/refuse")
            return void socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
          sockets.handleUpgrade(incoming, socket, head, (client) => sockets.emit("connection", client, incoming));
        },
      },
    );
    const { site } = await startTunnel(scope, { transport, local: service.local, client: { args } });
    return { site, accepted, requests };
  }

  async function open(
    { site }: { site: Site },
    options: { readonly compressed?: boolean; readonly protocols?: string[] } = {},
  ): Promise<WebSocket> {
    const socket = new WebSocket(`${site.origin.replace("https:", "wss:")}/socket?x=1`, options.protocols ?? [], {
      perMessageDeflate: options.compressed ?? false,
      maxPayload: 64 * mebibyte,
      origin: site.origin,
      createConnection: () =>
        tls.connect({
          host: "127.0.0.1",
          port: site.port,
          servername: site.hostname,
          ca: site.ca,
          ALPNProtocols: ["http/1.1"],
        }),
    });
    socket.on("error", () => {});
    scope.defer(() => socket.terminate());
    await soon(once(socket, "open"), "the WebSocket to open");
    return socket;
  }

  overEachTransport((transport) => {
    it("messages of every size that its length field has, whole, in fragments and compressed", async () => {
      const there = await world(transport);
      for (const compressed of [false, true]) {
        const socket = await open(there, { compressed });
        for (const size of [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, sized(1, 16) * mebibyte]) {
          const data = Buffer.alloc(size, "0123456789");
          socket.send(data);
          assert.ok((await nextMessage(socket)).equals(data), `${size} bytes`);
        }
        for (const parts of [
          ["a", "b"],
          ["", "", ""],
          ["x".repeat(70_000), "", "y"],
        ]) {
          for (const [i, part] of parts.entries()) {
            socket.send(part, { fin: i === parts.length - 1, binary: false });
            // A ping may come between the fragments.
            socket.ping("between");
          }
          assert.equal((await nextMessage(socket)).toString(), parts.join(""));
        }
      }
    });

    it("text, pings with what they say, both ways, and messages in their order", async () => {
      const there = await world(transport);
      const socket = await open(there);
      const [server] = there.accepted as [WebSocket];
      socket.send("Grüße, 世界 🌍");
      assert.equal((await nextMessage(socket)).toString(), "Grüße, 世界 🌍");
      for (const [from, to] of [
        [socket, server],
        [server, socket],
      ] as const) {
        const pinged = once(to, "ping");
        const ponged = once(from, "pong");
        from.ping("x".repeat(125));
        assert.equal(String((await soon(pinged, "a ping"))[0]), "x".repeat(125));
        assert.equal(String((await soon(ponged, "a pong"))[0]), "x".repeat(125));
      }
      const seen: string[] = [];
      const all = new Promise<void>((resolve) => {
        socket.on("message", (data: Buffer) => {
          seen.push(data.toString());
          if (seen.length === 1_000) resolve();
        });
      });
      for (let i = 0; i < 1_000; i++) socket.send(String(i));
      await soon(all, () => `1,000 messages, not ${seen.length}`);
      assert.deepEqual(
        seen,
        seen.map((_text, i) => String(i)),
      );
    });

    it("every close code and its reason reach the other side, from both sides", async () => {
      const there = await world(transport);
      for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4999]) {
        for (const closer of ["visitor", "service"] as const) {
          const socket = await open(there);
          const server = there.accepted.at(-1) as WebSocket;
          const [from, to] = closer === "visitor" ? [socket, server] : [server, socket];
          const closes = once(to, "close") as Promise<[number, Buffer]>;
          from.close(code, `because ${code}`);
          const [seen, reason] = await soon(closes, `close ${code}`);
          assert.deepEqual([seen, reason.toString()], [code, `because ${code}`]);
        }
      }
    });
  });

  it("what is no WebSocket frame is the service's to judge, and ends in its close", async () => {
    const { site } = await world("http2");
    for (const [what, frame, code] of [
      ["a reserved opcode", [0x83, 0x80, 0, 0, 0, 0], 1002],
      ["an unmasked frame", [0x81, 0x01, 0x61], 1002],
      ["text that is no UTF-8", [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], 1007],
      ["a ping in fragments", [0x09, 0x80, 0, 0, 0, 0], 1002],
    ] as const) {
      const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
      visitor.write(
        `GET / HTTP/1.1\r\nHost: ${site.hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      // Frames may come with the request: they are the other protocol's already.
      visitor.write(Buffer.from(frame));
      const answer = Buffer.from(await heard(visitor), "latin1");
      const end = answer.indexOf("\r\n\r\n");
      const head = answer.subarray(0, end).toString();
      assert.match(head, /^HTTP\/1\.1 101 /, what);
      assert.match(head, /^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$/im);
      const close = answer.subarray(end + 4);
      assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, code], what);
    }
  });

  it("a service that refuses is heard", async () => {
    const { site } = await world("http2");
    const { status, body } = await request(site, "/refuse", {
      headers: { connection: "upgrade", upgrade: "websocket", "sec-websocket-key": "x", "sec-websocket-version": "13" },
    });
    assert.equal(status, 403);
    body.resume();
  });

  it("the service sees one coherent set of headers, and the protocol that was asked for", async () => {
    for (const mode of ["transparent", "localhost"]) {
      const there = await world("http2", ["--headers", mode]);
      const { site } = there;
      const socket = await open(there, { protocols: ["chat", "other"] });
      assert.equal(socket.protocol, "chat");
      const [incoming] = there.requests as [IncomingMessage];
      assert.equal(incoming.url, "/socket?x=1");
      const { host, origin } = incoming.headers;
      assert.equal(new URL(origin ?? "").host, host);
      assert.equal(origin === site.origin, mode === "transparent");
    }
  });

  describe("in a browser", () => {
    let browser: Browser | undefined;
    before(async function () {
      needProgram(this, "chromium");
      browser = await chromium.launch({
        executablePath: "/usr/bin/chromium",
        args: [
          ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
          ...["--ignore-certificate-errors", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
        ],
      });
    });
    after(() => browser?.close());

    it("they run on the connection that is there, beside each other and with large messages", async () => {
      const there = await world("http2");
      const page = await (browser as Browser).newPage();
      scope.defer(() => page.close());
      await page.goto(there.site.origin);
      const lengths = await page.evaluate(async (size) => {
        const talk = async (index: number): Promise<number> => {
          const socket = new WebSocket("/socket");
          await new Promise((resolve, reject) => {
            socket.onopen = resolve;
            socket.onerror = () => reject(new Error("failed"));
          });
          socket.send("x".repeat(size + index));
          const length = await new Promise<number>((resolve) => {
            socket.onmessage = ({ data }) => resolve((data as string).length);
          });
          socket.close(4_000 + index, "done");
          await new Promise((resolve) => {
            socket.onclose = resolve;
          });
          return length;
        };
        return Promise.all([0, 1, 2, 3].map(talk));
      }, 4 * mebibyte);
      assert.deepEqual(
        lengths,
        [0, 1, 2, 3].map((index) => 4 * mebibyte + index),
      );
    });
  });
});

async function nextMessage(socket: WebSocket): Promise<Buffer> {
  const [data] = (await soon(once(socket, "message"), "a message")) as [RawData];
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
}
