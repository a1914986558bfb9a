import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import tls from "node:tls";
import { WebSocket, WebSocketServer, type RawData } from "ws";
import {
  overEachTransport,
  request,
  soon,
  startHttp,
  startTunnel,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

describe("Live connections", function () {
  this.timeout(120_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("a WebSocket carries text and bytes both ways", async () => {
      const { site, accepted } = await webSocketService();
      const visitor = openWebSocket(site);
      const server = await accepted;
      await soon(once(visitor, "open"), "the WebSocket to open");
      visitor.send("to the service");
      assert.equal(await nextMessage(server), "to the service");
      server.send("to the visitor");
      assert.equal(await nextMessage(visitor), "to the visitor");
      const bytes = Buffer.alloc(300_000, "frame");
      server.send(bytes);
      assert.equal(await nextMessage(visitor), bytes.toString());
      server.ping();
      await soon(once(server, "pong"), "a pong");
      visitor.close();
      await once(server, "close");
    });

    it("a WebSocket's close code and reason reach the other side, from both sides", async () => {
      for (const closer of ["visitor", "service"] as const) {
        const { site, accepted } = await webSocketService();
        const visitor = openWebSocket(site);
        await soon(once(visitor, "open"), "the WebSocket to open");
        const server = await accepted;
        const [from, to] = closer === "visitor" ? [visitor, server] : [server, visitor];
        const closes = Promise.all([once(from, "close"), once(to, "close")]);
        from.close(4321, `closed by the ${closer}`);
        const [, [code, reason]] = (await soon(closes, "both ends to close")) as [unknown, [number, Buffer]];
        assert.equal(code, 4321);
        assert.equal(reason.toString(), `closed by the ${closer}`);
      }
    });

    it("a WebSocket that breaks off at one end ends at the other", async () => {
      const { site, accepted } = await webSocketService();
      const visitor = openWebSocket(site);
      await soon(once(visitor, "open"), "the WebSocket to open");
      const server = await accepted;
      const closed = once(server, "close");
      visitor.terminate();
      const [code] = (await soon(closed, "the service to notice")) as [number];
      assert.equal(code, 1006);
    });

    it("server-sent events arrive one by one, when they are sent", async () => {
      let stream: ServerResponse | undefined;
      const service = await startHttp(scope, (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(": open\n\n");
        stream = response;
      });
      const { site } = await startTunnel(scope, { transport, local: service.local });
      const { body } = await request(site, "/events");
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const next = async (): Promise<string> => String((await soon(chunks.next(), "the next event")).value);
      assert.equal(await next(), ": open\n\n");
      for (let i = 0; i < 20; i++) {
        // The next one is sent only after this one has arrived: nothing on the way waits for more.
        stream?.write(`data: ${i}\n\n`);
        assert.equal(await next(), `data: ${i}\n\n`);
      }
      body.destroy();
    });

    async function webSocketService(): Promise<{ site: Site; accepted: Promise<WebSocket> }> {
      const sockets = new WebSocketServer({ noServer: true });
      const accepted = new Promise<WebSocket>((resolve) => sockets.on("connection", resolve));
      const service = await startHttp(scope, () => {}, {
        onUpgrade: (incoming, socket, head) =>
          sockets.handleUpgrade(incoming, socket, head, (client) => sockets.emit("connection", client)),
      });
      const { site } = await startTunnel(scope, { transport, local: service.local });
      return { site, accepted };
    }

    function openWebSocket(site: Site): WebSocket {
      const visitor = new WebSocket(`${site.origin.replace("https:", "wss:")}/socket`, {
        // The name need not lead anywhere on this machine.
        createConnection: () =>
          tls.connect({ host: "127.0.0.1", port: site.port, servername: site.hostname, ca: site.ca }),
      });
      scope.defer(() => visitor.terminate());
      return visitor;
    }
  });
});

async function nextMessage(socket: WebSocket): Promise<string> {
  const [data] = (await soon(once(socket, "message"), "a message")) as [RawData];
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
}
