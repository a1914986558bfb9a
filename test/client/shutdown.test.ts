import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import {
  closed,
  connectVisitor,
  isFull,
  overEachTransport,
  siteAt,
  soon,
  startCli,
  startHttp,
  until,
  useScope,
  type Running,
  type Site,
  type Transport,
} from "@porthole/testing/end-to-end";

/** More than links and sockets hold on the way. */
const fileBytes = 24 * 1024 * 1024;

describe("Shutdown with visitors there", function () {
  this.timeout(180_000);
  const scope = useScope();

  overEachTransport((transport) => {
    // SIGHUP is a terminal or an SSH session that is closed. Each takes the ten seconds that visitors get to finish.
    const some = transport === "quic" ? (["SIGINT"] as const) : (["SIGTERM", "SIGHUP"] as const);
    for (const signal of isFull ? (["SIGINT", "SIGTERM", "SIGHUP"] as const) : some)
      it(`${signal} ends the client with 0, and its visitors with it`, async () => {
        const { relay, client, site, present } = await startPrograms(transport);
        const ends = await crowd(site, present);
        assert.deepEqual(await client.kill(signal), { code: 0, signal: null });
        assert.equal(client.lines.at(-1), "stopped");
        assert.deepEqual(client.errors, []);
        await soon(ends(), "the visitors' end");
        await until(() => present() === 0, "the service was rid of them");
        assert.equal((await relay.kill("SIGTERM")).code, 0);
      });

    it("a download that has begun arrives whole, at the visitor's own pace", async () => {
      const { client, site } = await startPrograms(transport);
      const visitor = await connectVisitor(scope, site);
      visitor.write(`GET /file HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`);
      const ended = once(visitor, "end").then(() => visitor.end());
      let received = 0;
      visitor.on("data", (chunk: Buffer) => {
        received += chunk.length;
        visitor.pause();
        setTimeout(() => visitor.resume(), 1);
      });
      await until(() => received > 0, "the first bytes had come");
      assert.deepEqual(await client.kill("SIGTERM"), { code: 0, signal: null });
      await soon(ended, () => `the orderly end after ${received} of ${fileBytes} bytes`);
      assert.ok(received > fileBytes, `${received} of ${fileBytes} bytes`);
    });

    for (const signal of ["SIGINT", "SIGTERM"] as const)
      it(`${signal} ends the relay with 0, and its clients wait for it to come back`, async () => {
        const { relay, client, site, present } = await startPrograms(transport);
        const ends = await crowd(site, present);
        assert.deepEqual(await relay.kill(signal), { code: 0, signal: null });
        assert.deepEqual(relay.errors, []);
        await soon(ends(), "the visitors' end");
        await until(() => present() === 0, "the service was rid of them");
        await client.line(/The relay stops.*; trying again in|Nothing listens on .*; trying again in/);
        assert.equal((await client.kill(signal)).code, 0);
      });
  });

  it("Ctrl-C ends a client whose relay accepts connections and says nothing", async () => {
    const mute = net.createServer(() => {}).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const connected = once(mute, "connection");
    const { port } = mute.address() as AddressInfo;
    const argv = ["3000", "--server", `127.0.0.1:${port}`, "--state-dir", await scope.folder()];
    const client = startCli(scope, "client", argv);
    const [socket] = (await soon(connected, "the client to connect")) as [net.Socket];
    socket.on("error", () => {});
    assert.equal((await client.kill("SIGINT")).code, 0);
    socket.destroy();
    mute.close();
    await once(mute, "close");
  });

  async function startPrograms(transport: Transport) {
    let open = 0;
    const service = await startHttp(scope, (request, response) => {
      open += 1;
      response.on("close", () => {
        open -= 1;
      });
      if (request.url === "/file") response.end(Buffer.alloc(fileBytes));
      if (request.url !== "/endless") return;
      // Without an end, and not so fast that it takes the processor.
      const block = Buffer.alloc(64 * 1024);
      const timer = setInterval(() => response.writableNeedDrain || response.write(block), 20);
      response.on("close", () => clearInterval(timer));
    });
    const [relayState, clientState] = await Promise.all([scope.folder(), scope.folder()]);
    const ports = ["--api-port", "0", "--pub-port", "0"];
    const relay = startCli(scope, "relay", [...ports, "--json", "--state-dir", relayState]);
    const { api } = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number };
    const argv = [service.local, "--server", `127.0.0.1:${api}`, "--state-dir", clientState];
    const client: Running = startCli(scope, "client", [...argv, "--transport", transport === "quic" ? "quic" : "h2"]);
    const url = (await client.line(/^URL: /)).slice("URL: ".length);
    await client.line(/^online/);
    const site = siteAt(url, join(clientState, "primary-self-signed.pem"));
    return { relay, client, site, present: () => open };
  }

  /**
   * One in the middle of a download, one who does not read his, one who waits for an answer, one who has asked nothing.
   * Calls back when all of them are gone.
   */
  async function crowd(site: Site, present: () => number): Promise<() => Promise<unknown>> {
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${site.hostname}\r\n\r\n`;
    const visitors = await Promise.all(
      [ask("/endless"), ask("/endless"), ask("/never"), ""].map(async (text, index) => {
        const visitor = await connectVisitor(scope, site);
        visitor.on("error", () => {});
        visitor.write(text);
        if (index !== 1) visitor.resume();
        return visitor;
      }),
    );
    const ends = visitors.map(closed);
    await until(
      () => present() === 3,
      () => `3 requests had come, not ${present()}`,
    );
    return () => {
      // A visitor that does not read does not see the end either.
      for (const visitor of visitors) visitor.resume().end();
      return Promise.all(ends);
    };
  }
});
