import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import net, { type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { decodeProxyHeader, type ProxyHeader } from "@porthole/common/protocol";
import {
  connectVisitor,
  get,
  overEachTransport,
  readText,
  soon,
  startTunnel,
  until,
  useScope,
  type Scope,
} from "@porthole/testing/end-to-end";

describe("The visitor's address at the local service", function () {
  this.timeout(180_000);
  const scope = useScope();

  overEachTransport((transport) => {
    for (const scheme of ["http", "https"] as const) {
      it(`comes before anything else of a connection, and the rest is untouched (${scheme})`, async () => {
        const headers: ProxyHeader[] = [];
        const port = await startProxied(scope, headers, scheme);
        const { site, client, relay } = await startTunnel(scope, {
          transport,
          local: `${scheme}://127.0.0.1:${port}`,
          client: { args: ["--local-proxy-protocol"] },
        });
        assert.equal(await get(site, "/path"), "hello /path");
        const [visit] = await client.visited(1);
        const [header] = headers;
        assert.equal(header?.source?.address, "127.0.0.1");
        assert.deepEqual(header?.destination, { address: "127.0.0.1", port: relay.publicPort });
        assert.equal(header?.authority, site.hostname);
        assert.equal(header?.uniqueId, visit?.traceId);
      });
    }

    it("comes again with a replay, as it was", async () => {
      const headers: ProxyHeader[] = [];
      const port = await startProxied(scope, headers, "http");
      const { site, client } = await startTunnel(scope, {
        transport,
        local: `http://127.0.0.1:${port}`,
        client: { args: ["--local-proxy-protocol"] },
      });
      assert.equal(await get(site, "/path"), "hello /path");
      const { inspector } = client.policy;
      const recorded = async (filter: string) => (await inspector.list({ filter: { text: filter } })).exchanges[0];
      await until(async () => (await recorded("path:path"))?.state === "done", "the request was recorded");
      await inspector.replay({ id: (await recorded("path:path"))?.id ?? "" });
      await until(async () => (await recorded("is:replay"))?.state === "done", "the replay was answered");
      assert.equal((await recorded("is:replay"))?.status, 200);
      assert.equal(headers.length, 2);
      assert.deepEqual(headers[1], headers[0]);
    });

    it("comes for bytes of any protocol, too, and is the visitor's own", async () => {
      const headers: ProxyHeader[] = [];
      const service = await startProxied(scope, headers, "tcp");
      const { site } = await startTunnel(scope, {
        transport,
        local: `tcp://127.0.0.1:${service}`,
        client: { args: ["--local-proxy-protocol"] },
      });
      const visitor = await connectVisitor(scope, site, { alpn: ["lines"] });
      const port = visitor.localPort;
      visitor.end("ping\n");
      assert.equal(await soon(readText(visitor), "an answer"), "ping\n");
      assert.equal(headers[0]?.source?.port, port);
      assert.equal(headers[0]?.alpn, "lines");
    });
  });
});

/** A service that wants the header before everything, as HAProxy's `accept-proxy` does. */
async function startProxied(scope: Scope, headers: ProxyHeader[], scheme: "http" | "https" | "tcp"): Promise<number> {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });
  const answer: http.RequestListener = (request, response) => response.end(`hello ${request.url}`);
  const behind =
    scheme === "https" ? https.createServer({ cert: pem, key: key.pem }, answer) : http.createServer(answer);
  const sockets = new Set<Socket>();
  const front: Server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (bytes: Buffer) => {
      socket.pause();
      const decoded = decodeProxyHeader(bytes) ?? assert.fail("the header came in pieces");
      headers.push(decoded.header);
      socket.unshift(bytes.subarray(decoded.length));
      if (scheme === "tcp") socket.pipe(socket);
      else behind.emit("connection", socket);
      // TLS takes the socket over as it is.
      if (scheme !== "https") socket.resume();
    });
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  scope.defer(async () => {
    const closed = once(front, "close");
    front.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (front.address() as AddressInfo).port;
}
