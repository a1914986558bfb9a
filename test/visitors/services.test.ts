import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import type net from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { get, startTunnel, useScope } from "@porthole/testing/end-to-end";

describe("Kinds of local services", function () {
  this.timeout(60_000);
  const scope = useScope();

  const key = generateKey();
  const certificate = createCertificate({
    ...{ key, commonName: "myapp.test", dnsNames: ["myapp.test"], days: 2 },
    notBefore: new Date(Date.now() - 3_600_000),
  });
  const tls = { key: key.pem, cert: certificate.pem };

  async function listen(server: net.Server, path?: string): Promise<number> {
    const sockets = new Set<net.Socket>();
    server.on("connection", (socket: net.Socket) => sockets.add(socket));
    scope.defer(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    if (path === undefined) server.listen(0, "127.0.0.1");
    else server.listen(path);
    await once(server, "listening");
    return path === undefined ? (server.address() as AddressInfo).port : 0;
  }

  const expose = (local: string) => startTunnel(scope, { transport: "http2", local });

  it("a Unix socket", async () => {
    const path = join(await scope.folder(), "app.sock");
    await listen(
      http.createServer(({ headers }, response) => void response.end(`for ${String(headers["x-forwarded-for"])}`)),
      path,
    );
    const { site } = await expose(`unix:${path}`);
    assert.equal(await get(site), "for 127.0.0.1");
  });

  it("https with a certificate of its own making, which the log says", async () => {
    const port = await listen(https.createServer(tls, (_request, response) => void response.end("over TLS")));
    const { site, client } = await expose(`https://127.0.0.1:${port}`);
    assert.equal(await get(site), "over TLS");
    assert.equal(await get(site), "over TLS");
    assert.equal(client.log.filter((line) => line.includes("is accepted without a CA")).length, 1);
  });

  it("https with a certificate of a CA that is named, and no other", async () => {
    const own = createCertificate({
      ...{ key, commonName: "localhost", dnsNames: ["localhost"], days: 2 },
      notBefore: new Date(Date.now() - 3_600_000),
    });
    const folder = await scope.folder();
    await writeFile(join(folder, "own.pem"), `It is mine\n${own.pem}`);
    await writeFile(join(folder, "other.pem"), certificate.pem);
    const answer: http.RequestListener = (_request, response) => void response.end("over TLS");
    const port = await listen(https.createServer({ key: key.pem, cert: own.pem }, answer));
    const exposeWith = (...args: readonly string[]) =>
      startTunnel(scope, { transport: "http2", local: `https://localhost:${port}`, client: { args } });
    const { site, client } = await exposeWith("--local-ca", join(folder, "own.pem"));
    assert.equal(await get(site), "over TLS");
    assert.ok(!client.log.some((line) => line.includes("without a CA")));
    const other = await exposeWith("--local-ca", join(folder, "other.pem"));
    await assert.rejects(get(other.site), /502/);
    assert.match(await other.client.logged(/is not trusted/), /self-signed/);
    const any = await exposeWith("--local-insecure");
    assert.equal(await get(any.site), "over TLS");
    await any.client.logged(/any certificate is accepted/);
  });

  it("https that speaks HTTP/2 only", async () => {
    const server = http2.createSecureServer({ ...tls, allowHTTP1: false });
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200 });
      stream.end("over HTTP/2");
    });
    const port = await listen(server);
    const { site } = await expose(`https://127.0.0.1:${port}`);
    assert.equal(await get(site), "over HTTP/2");
  });

  it("https that speaks both gets HTTP/1.1, which WebSockets need", async () => {
    const server = http2.createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
      response.end(request.httpVersion);
    });
    const port = await listen(server);
    const { site } = await expose(`https://127.0.0.1:${port}`);
    assert.equal(await get(site), "1.1");
  });
});
