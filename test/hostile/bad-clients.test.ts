import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import tls, { type ConnectionOptions, type TLSSocket } from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { createLink, type Link } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import { encodeControl, limits } from "@porthole/common/protocol";
import type { Relay } from "@porthole/relay";
import { FakeClock } from "@porthole/testing/fake-clock";
import {
  closed,
  connectVisitor,
  dialLink,
  dialRelay,
  get,
  hello,
  needProgram,
  overEachTransport,
  run,
  settled,
  siteOf,
  soon,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("ClientSessions who don't keep to the protocol", function () {
  this.timeout(120_000);
  const scope = useScope();
  let lines: string[] = [];
  const line = (_fields: object, message: string): void => void lines.push(message);
  const log: Logger = { debug: line, info: line, warn: line, error: line };
  beforeEach(() => {
    lines = [];
  });

  describe("before there is a link", () => {
    let relay: Relay;
    beforeEach(async () => {
      relay = await startTestRelay(scope, { log });
    });
    afterEach(async () => {
      await settled(relay);
      await stillServes(relay);
    });

    it("bytes that mean nothing", async () => {
      const socket = net.connect({ host: "127.0.0.1", port: relay.apiPort });
      socket.on("error", () => {});
      socket.write(Buffer.alloc(1_000, "garbage"));
      await soon(closed(socket.resume()), "the end");
    });

    it("no certificate", async () => {
      await refused(tlsTo(relay, {}), /presented no certificate/);
    });

    it("no ALPN", async () => {
      await refused(tlsTo(relay, { ...identity(), ALPNProtocols: [] }), /did not ask for ALPN h2/);
    });

    it("a certificate of a key that can't serve", async function () {
      needProgram(this, "openssl");
      const folder = await scope.folder();
      const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
      const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1", "-nodes"];
      await run("openssl", ["req", "-x509", ...kind, "-subj", "/CN=x", "-keyout", key, "-out", cert]);
      const files = { cert: await readFile(cert), key: await readFile(key) };
      await refused(tlsTo(relay, files), /of a kind that can't serve as an identity/);
    });

    it("TLS, and then nothing", async () => {
      const socket = tlsTo(relay, identity());
      await once(socket, "secureConnect");
      socket.destroy();
    });

    it("HTTP/2 that breaks off", async () => {
      const socket = tlsTo(relay, identity());
      await once(socket, "secureConnect");
      socket.end(Buffer.from("000004040000000000", "hex"));
      await soon(closed(socket.resume()), "the end");
    });
  });

  overEachTransport((transport) => {
    for (const [what, message, code, text] of [
      ["a version that nobody speaks", { ...hello, protocol: 0 }, "version", /only 0; update the client/],
      ["something else than hello", { type: "goodbye", reason: "x" }, "protocol", /expected hello, got goodbye/],
      ["a suffix that is no name", { ...hello, suffix: "not_a_name" }, "name", /"not_a_name" is not served here/],
    ] as const) {
      it(`${what}: refused with a code and a sentence`, async () => {
        const relay = await startTestRelay(scope, { log });
        const link = await dialLink(scope, relay, transport);
        link.control.send(message);
        const answer = await soon(link.control.next(), "an answer");
        assert.equal(answer?.type, "reject");
        assert.equal(answer.code, code);
        assert.match(answer.message, text);
        await soon(link.closed, "the end");
      });
    }

    for (const [what, bytes, text] of [
      ["a message that is too large", sized(limits.maxControlBytes + 1), /announced a control message of 65537 bytes/],
      ["an empty message", sized(0), /empty control message/],
      ["what is not JSON", framed("{]"), /not JSON/],
      ["a message of an unknown kind", framed('{"type":"shutdown"}'), /Unknown control message/],
      ["a message with a wrong field", framed('{"type":"ping","n":"one"}'), /n must be a whole number/],
    ] as const) {
      it(`${what}: the link ends, and the relay continues`, async () => {
        const relay = await startTestRelay(scope, { log });
        const connection = await dialRelay(scope, relay, transport);
        connection.control.on("error", () => {});
        connection.control.resume();
        connection.control.write(encodeControl(hello));
        await until(() => relay.counts().links === 1, "the client was admitted");
        connection.control.write(bytes);
        await soon(connection.closed, "the end");
        await settled(relay);
        await until(
          () => lines.some((each) => text.test(each)),
          () => `${text} was in the log:\n${lines.join("\n")}`,
        );
        await stillServes(relay);
      });
    }

    it("hello twice", async () => {
      const relay = await startTestRelay(scope, { log });
      const link = await admitted(relay);
      link.control.send(hello);
      await soon(link.closed, "the end");
      await settled(relay);
    });

    it("a flood of messages is more than can be handled", async () => {
      const relay = await startTestRelay(scope, { log });
      const connection = await dialRelay(scope, relay, transport);
      connection.control.on("error", () => {});
      connection.control.resume();
      connection.control.write(Buffer.concat(Array.from({ length: 1_000 }, () => encodeControl(hello))));
      await soon(connection.closed, "the end");
      await settled(relay);
      await stillServes(relay);
    });

    it("no hello: sent away at the deadline, and not before", async () => {
      const clock = new FakeClock();
      const relay = await startTestRelay(scope, { clock, log });
      const link = await dialLink(scope, relay, transport);
      const answer = link.control.next();
      await until(() => clock.pending >= 2, "the relay waited for hello");
      await clock.advance(limits.admissionDeadlineMs - 1);
      assert.equal(await Promise.race([answer, Promise.resolve("nothing yet")]), "nothing yet");
      await clock.advance(1);
      const message = await soon(answer, "an answer");
      assert.equal(message?.type === "reject" && message.code, "timeout");
      await soon(link.closed, "the end");
    });

    it("streams that are reset as soon as they come: the visitors end, the relay continues", async () => {
      const relay = await startTestRelay(scope, { log });
      const key = generateKey();
      const connection = await dialRelay(scope, relay, transport, key);
      connection.control.write(encodeControl(hello));
      connection.control.resume();
      void (async () => {
        for await (const stream of connection.incoming) stream.destroy();
      })();
      await until(() => relay.counts().links === 1, "the client was admitted");
      for (let i = 0; i < 300; i++) {
        const visitor = tls.connect({
          host: "127.0.0.1",
          port: relay.publicPort,
          servername: `${key.clientId}.localhost`,
        });
        visitor.on("error", () => {});
        await soon(closed(visitor), `the end of visitor ${i}`);
      }
      await until(
        () => relay.counts().streams === 0,
        () => `no stream was left of ${relay.counts().streams}`,
      );
      await stillServes(relay);
    });

    it("streams that are never read: their visitors wait, others are served", async () => {
      const relay = await startTestRelay(scope, { log });
      const key = generateKey();
      const link = await admitted(relay, key);
      const visitors = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = net.connect({ host: "127.0.0.1", port: relay.publicPort });
          socket.on("error", () => {});
          scope.defer(() => socket.destroy());
          tls.connect({ socket, servername: `${key.clientId}.localhost` }).on("error", () => {});
          await once(socket, "connect");
          return socket;
        }),
      );
      await until(
        () => relay.counts().streams === 50,
        () => `50 visitors were there, not ${relay.counts().streams}`,
      );
      await stillServes(relay);
      for (const visitor of visitors) visitor.destroy();
      await link.close(new PortholeError("closed", "The test is over"));
    });

    async function admitted(relay: Relay, key = generateKey()): Promise<Link> {
      const connection = await dialRelay(scope, relay, transport, key);
      const link = createLink(connection, { clock: scope.clock, heartbeat: "send" });
      link.control.send(hello);
      assert.equal((await soon(link.control.next(), "welcome"))?.type, "welcome");
      return link;
    }
  });

  /** Another client comes, and its visitor is answered. */
  async function stillServes(relay: Relay): Promise<void> {
    const service = await startHttp(scope, (_request, response) => response.end("fine"));
    const client = await startTestClient(scope, { servers: [relay.apiPort], local: service.local });
    const site = await siteOf(client);
    assert.equal(await get(site), "fine");
    (await connectVisitor(scope, site)).destroy();
    await client.stop();
  }

  function tlsTo(relay: Relay, options: ConnectionOptions): TLSSocket {
    const socket = tls.connect({
      host: "127.0.0.1",
      port: relay.apiPort,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
      ...options,
    });
    socket.on("error", () => {});
    scope.defer(() => socket.destroy());
    return socket;
  }

  async function refused(socket: TLSSocket, text: RegExp): Promise<void> {
    await soon(closed(socket.resume()), "the end");
    await until(
      () => lines.some((each) => text.test(each)),
      () => `${text} was in the log:\n${lines.join("\n")}`,
    );
  }
});

function identity(): { readonly cert: string; readonly key: string } {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: [key.clientId], notBefore: new Date(), days: 1 });
  return { cert: pem, key: key.pem };
}

function sized(length: number): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  return header;
}

function framed(json: string): Buffer {
  return Buffer.concat([sized(json.length), Buffer.from(json)]);
}
