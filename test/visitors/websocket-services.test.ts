import assert from "node:assert/strict";
import { once } from "node:events";
import http2, { type ServerHttp2Stream } from "node:http2";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { connectVisitor, soon, startTunnel, useScope, type Site } from "@porthole/testing/end-to-end";
import { connectHttp2 } from "./visits.ts";

/** RFC 6455 section 1.3. */
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

describe("WebSockets to services of HTTP/2", function () {
  this.timeout(60_000);
  const scope = useScope();

  const identity = generateKey();
  const { pem } = createCertificate({ key: identity, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });
  const tls = { key: identity.pem, cert: pem };
  const connect = { settings: { enableConnectProtocol: true } };

  async function expose(server: http2.Http2Server | http2.Http2SecureServer, scheme: string): Promise<Site> {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => sockets.add(socket));
    scope.defer(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const local = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return (await startTunnel(scope, { transport: "http2", local })).site;
  }

  /** Sends the bytes back, says what it was asked for, and takes `/refused` not at all. */
  function echo(server: http2.Http2Server | http2.Http2SecureServer): typeof server {
    server.on("stream", (stream: ServerHttp2Stream, headers) => {
      stream.on("error", () => {});
      if (headers[":path"] === "/refused") {
        stream.respond({ ":status": 403 });
        return void stream.end("not you");
      }
      const { ":method": method, ":protocol": protocol, "sec-websocket-key": sent = "none" } = headers;
      stream.respond({ ":status": 200, "x-asked": `${method} ${String(protocol)} ${sent}` });
      stream.pipe(stream);
    });
    return server;
  }

  /** The answer's head, and the first bytes that come back for `ping`. */
  async function upgrade(site: Site, path = "/socket"): Promise<string> {
    const visitor = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
    let heard = "";
    visitor.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
    const fields = [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
    ];
    visitor.write(`GET ${path} HTTP/1.1\r\nHost: ${site.hostname}\r\n${fields.join("\r\n")}\r\n\r\n`);
    await soon(once(visitor, "data"), "an answer");
    if (heard.startsWith("HTTP/1.1 101")) visitor.write("ping");
    while (!/ping|not you|"error"/.test(heard)) await soon(once(visitor, "data"), () => `more than ${heard}`);
    visitor.destroy();
    return heard;
  }

  for (const [scheme, server] of [
    ["https", () => http2.createSecureServer({ ...tls, ...connect, allowHTTP1: false })],
    ["h2c", () => http2.createServer(connect)],
  ] as const)
    it(`pass by an extended CONNECT where an ${scheme} service offers it`, async () => {
      const site = await expose(echo(server()), scheme);
      for (let round = 0; round < 2; round++) {
        const answer = await upgrade(site);
        assert.match(answer, /^HTTP\/1\.1 101 /);
        assert.match(answer, new RegExp(`sec-websocket-accept: ${accept.replace(/[+=]/g, ".")}`, "i"));
        assert.match(answer, /x-asked: CONNECT websocket none/);
      }
      const refused = await upgrade(site, "/refused");
      assert.match(refused, /^HTTP\/1\.1 403 /);
    });

  it("pass over HTTP/1.1 where the service offers no extended CONNECT", async () => {
    const server = http2.createSecureServer({ ...tls, allowHTTP1: true });
    server.on("upgrade", (_request: unknown, socket: Duplex) => {
      socket.on("error", () => {});
      socket.write(
        `HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
    const site = await expose(server, "https");
    // It offers nothing else, so its service is asked for HTTP/2.
    const session = await connectHttp2(scope, site);
    const stream = session.request({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": "/",
      "sec-websocket-version": "13",
    });
    stream.on("error", () => {});
    const [head] = (await soon(once(stream, "response"), "an answer")) as [{ ":status": number }];
    assert.equal(head[":status"], 200);
    stream.write("ping");
    const [chunk] = (await soon(once(stream, "data"), "an echo")) as [Buffer];
    assert.equal(chunk.toString(), "ping");
    stream.destroy();
  });

  it("are refused where the service takes neither", async () => {
    const site = await expose(echo(http2.createSecureServer({ ...tls, allowHTTP1: false })), "https");
    assert.match(await upgrade(site), /^HTTP\/1\.1 501 /);
  });
});
