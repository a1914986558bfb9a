import assert from "node:assert/strict";
import { exitStatusOf } from "@porthole/common/options";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type TransportConnection, type Link, type LinkStream } from "@porthole/common/link";
import { encodeProxyHeader, limits, type ControlMessage, type Hello } from "@porthole/common/protocol";
import tls from "node:tls";
import {
  hastened,
  idOf,
  overEachTransport,
  readAll,
  soon,
  startFakeRelay,
  startHttp,
  startTestClient,
  until,
  useScope,
  welcome,
  type TestClient,
  type TestClientOptions,
} from "@porthole/testing/end-to-end";

const id = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

describe("Relays who don't keep to the protocol", function () {
  this.timeout(120_000);
  const scope = useScope();

  overEachTransport((transport) => {
    const kind = transport === "quic" ? "quic" : "h2";

    async function startClient(port: number, options: Partial<TestClientOptions> = {}): Promise<TestClient> {
      const args = ["--insecure", "--transport", kind, "--pool-size", "1"];
      return startTestClient(scope, { servers: [port], args, ...options });
    }

    /** A relay that answers hello with these messages. */
    async function answering(...messages: ControlMessage[]): Promise<number> {
      return startFakeRelay(scope, transport, (connection) => {
        const link = linkOf(connection);
        void link.control.next().then(() => {
          for (const message of messages)
            link.control.send(message.type === "welcome" ? { ...message, clientId: idOf(link) } : message);
        });
      });
    }

    /** A relay that admits everyone and hands the links to the test. */
    async function admitting(): Promise<{ readonly port: number; readonly links: Link[] }> {
      const links: Link[] = [];
      const port = await startFakeRelay(scope, transport, (connection) => {
        const link = linkOf(connection);
        void link.control.next().then((message) => {
          if (message?.type !== "hello") return;
          link.control.send(welcome(idOf(link)));
          links.push(link);
        });
      });
      return { port, links };
    }

    for (const [what, message, code, exitCode, text] of [
      ["a refusal for the version", reject("version", "too old"), "version", 3, /^The relay refused: too old$/],
      ["a refusal with a code of the future", reject("tax", "pay"), "unauthorized", 3, /^The relay refused: pay$/],
      [
        "a refusal that would steer the terminal",
        reject("name", "\u001b[2Jno\r\nno"),
        "name",
        3,
        /^The relay refused: \P{Cc}*$/u,
      ],
      ["hello", hello(), "protocol", 1, /answered hello with hello/],
      ["no name", { ...welcome(id), hostnames: [] }, "protocol", 1, /no host name, but \[\]$/],
      [
        "a name that is none",
        { ...welcome(id), hostnames: ["a_b.c"] },
        "protocol",
        1,
        /no host name, but \["a_b.c"\]$/,
      ],
    ] as const) {
      it(`${what}: the client ends with a sentence and the right status`, async () => {
        const client = await startClient(await answering(message));
        await assert.rejects(client.ended, (error: PortholeError) => {
          assert.equal(error.code, code);
          assert.equal(exitStatusOf(error), exitCode);
          assert.match(error.message, text);
          return true;
        });
      });
    }

    it("one that has no room now: the client waits as long as it is told", async () => {
      const client = await startClient(await answering({ ...reject("busy", "full"), retryAfterMs: 99_000 }));
      const now = await waiting(client);
      assert.equal(now.error.code, "busy");
      assert.equal(now.delayMs, 99_000);
    });

    it("one that never answers is dropped at the deadline", async () => {
      const port = await startFakeRelay(scope, transport, linkOf);
      const client = await startClient(port, { clock: hastened(scope.clock, 20) });
      // On a busy machine a handshake may take too long as well; it tries again.
      const { error } = await waiting(client, /The relay's answer to hello took longer than 10 s/);
      assert.equal(error.code, "timeout");
    });

    it("one whose control messages are too large is left, and tried again", async () => {
      const { port, links } = await admitting();
      const connections: TransportConnection[] = [];
      const hostile = await startFakeRelay(scope, transport, (connection) => {
        connections.push(connection);
        connection.control.on("error", () => {});
        connection.control.resume();
        const header = Buffer.alloc(4);
        header.writeUInt32BE(limits.maxControlBytes + 1);
        connection.control.write(header);
      });
      const client = await startTestClient(scope, {
        servers: [hostile, port],
        args: ["--insecure", "--transport", kind, "--pool-size", "1"],
      });
      const error = await client.when("the failure", (state) => {
        const now = state.endpoints[0]?.relays[0]?.now;
        return now?.status === "failed" ? now.error : undefined;
      });
      assert.equal(error.code, "limit");
      // The other relay has nothing to do with it.
      await client.online({ relay: 1 });
      assert.ok(links.length >= 1);
    });

    it("streams that don't begin with a header, or never continue, disturb no others", async () => {
      const service = await startHttp(scope, (_request, response) => response.end("hello"));
      const { port, links } = await admitting();
      const client = await startClient(port, { local: service.local, clock: hastened(scope.clock, 5) });
      await client.online();
      const link = links.at(-1) as Link;
      const name = `${idOf(link)}.localhost`;
      const garbage = link.openStream();
      garbage.write("GET / HTTP/1.1\r\n\r\n");
      const tooLong = link.openStream();
      tooLong.write(Buffer.concat([header(name).subarray(0, 14), Buffer.from([0xff, 0xff])]));
      const silent = link.openStream();
      silent.write(header(name).subarray(0, 10));
      const unknown = link.openStream();
      unknown.write(header("somebody-else.localhost"));
      const codes = Promise.all([garbage, tooLong, silent, unknown].map(endCode));
      const leaving = link.openStream();
      leaving.write(header(name));
      leaving.destroy();
      const visitor = visit(link);
      visitor.end(`GET / HTTP/1.0\r\nHost: ${name}\r\n\r\n`);
      assert.match((await soon(readAll(visitor), "an answer")).toString(), /hello$/);
      assert.deepEqual(await soon(codes, "the end of the others"), ["protocol", "limit", "timeout", "name"]);
      // The others are nobody's visitors.
      await client.visited(1);
      await until(
        () => link.openStreams === 0,
        () => `no stream was left of ${link.openStreams}`,
      );
    });

    it("a link that ends in the middle of a visit ends the visit, and the client is back", async () => {
      const { port, links } = await admitting();
      let open = 0;
      const service = await startHttp(scope, (_request, response) => {
        open += 1;
        response.on("close", () => {
          open -= 1;
        });
      });
      const client = await startClient(port, { local: service.local });
      await client.online();
      const link = links.at(-1) as Link;
      visit(link).write(`GET / HTTP/1.0\r\nHost: ${idOf(link)}.localhost\r\n\r\n`);
      await until(() => open === 1, "the visitor was there");
      const before = links.length;
      links.at(-1)?.destroy(new PortholeError("closed", "pulled the plug"));
      await until(() => open === 0, "the visitor had gone");
      await until(() => links.length > before, "the client was back");
      await client.online();
    });
  });

  function linkOf(connection: TransportConnection): Link {
    return createLink(connection, { clock: scope.clock, heartbeat: "watch" });
  }

  /** A visitor without a relay's listener in between. */
  function visit(link: Link): tls.TLSSocket {
    const stream: LinkStream = link.openStream();
    const name = `${idOf(link)}.localhost`;
    stream.write(header(name));
    const socket = tls.connect({ socket: stream, servername: name, rejectUnauthorized: false });
    socket.on("error", () => {});
    return socket;
  }
});

/** Why the client has ended a stream, which an abort says in its message. */
function endCode(stream: LinkStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    stream.once("error", ({ message }: Error) => resolve(/\((\S+)\)$/.exec(message)?.[1]));
    stream.once("close", () => resolve(undefined));
  });
}

function header(authority: string): Buffer {
  const nowhere = { address: "127.0.0.1", port: 1 };
  return encodeProxyHeader({ source: nowhere, destination: nowhere, authority, uniqueId: "trace" });
}

function reject(code: string, message: string) {
  return { type: "reject", code, message } as const;
}

function hello(): Hello {
  return { type: "hello", protocol: 1, software: "test", instance: "test" };
}

function waiting(client: TestClient, why = /^/) {
  return client.when("waiting", (state) => {
    const now = state.endpoints[0]?.relays[0]?.now;
    return now?.status === "waiting" && why.test(now.error.message) ? now : undefined;
  });
}
