import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { Duplex, duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import tls from "node:tls";
import type { Relay } from "@porthole/relay";
import { FakeClock } from "@porthole/testing/fake-clock";
import {
  get,
  overEachTransport,
  readAll,
  settled,
  soon,
  startHttp,
  startTestRelay,
  startTunnel,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

/** How long the relay waits for a whole ClientHello. */
const helloDeadlineMs = 10_000;

const alerts = {
  unexpectedMessage: 10,
  handshakeFailure: 40,
  illegalParameter: 47,
  decodeError: 50,
  protocolVersion: 70,
  unrecognizedName: 112,
  noApplicationProtocol: 120,
};

describe("Visitors who send something else", function () {
  this.timeout(90_000);
  const scope = useScope();

  describe("are refused by the relay with the alert that fits", () => {
    let relay: Relay;
    beforeEach(async () => {
      relay = await startTestRelay(scope, { args: ["--domain-suffix", "tunnel.localhost"] });
    });
    afterEach(() => settled(relay));

    for (const [what, serverName] of [
      ["an unknown name", "aaaaaaaaaaaaaaaaaaaaaaaaaa.tunnel.localhost"],
      ["another suffix", "aaaaaaaaaaaaaaaaaaaaaaaaaa.example.com"],
      ["no name", ""],
    ] as const) {
      it(what, async () => {
        const socket = tls.connect({ host: "127.0.0.1", port: relay.publicPort, servername: serverName });
        const [error] = (await soon(once(socket, "error"), "a refusal")) as [Error & { code: string }];
        assert.equal(error.code, "ERR_SSL_TLSV1_UNRECOGNIZED_NAME");
      });
    }

    const record = (...bytes: number[]) => Buffer.from([22, 3, 1, bytes.length >> 8, bytes.length & 0xff, ...bytes]);
    for (const [what, bytes, alert] of [
      ["bytes that mean nothing", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"), alerts.unexpectedMessage],
      ["a record that is no handshake", Buffer.from([23, 3, 3, 0, 5, 1, 2, 3, 4, 5]), alerts.unexpectedMessage],
      ["an old SSL", Buffer.from([22, 2, 0, 0, 5, 1, 0, 0, 1, 0]), alerts.protocolVersion],
      ["a ServerHello", record(2, 0, 0, 1, 0), alerts.unexpectedMessage],
      ["a ClientHello of more than 16 KiB", record(1, 0, 0x50, 0, 3, 3), alerts.illegalParameter],
      ["a ClientHello whose lengths lie", record(1, 0, 0, 6, 3, 3, 0, 0, 0, 0), alerts.decodeError],
    ] as const) {
      it(what, async () => {
        const socket = connect(relay);
        socket.write(bytes);
        const answer = await soon(readAll(socket), "an alert");
        assert.deepEqual([...answer], [21, 3, 3, 0, 2, 2, alert]);
      });
    }

    for (const text of ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
      it(`plain HTTP is told to use https (${text.slice(0, 3)})`, async () => {
        const socket = connect(relay);
        socket.write(text);
        const answer = (await soon(readAll(socket), "an answer")).toString();
        assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
        assert.match(answer, /\r\n\r\nThis port speaks HTTPS only\. Write https:\/\/ in front of the address\.\n$/);
      });
    }

    it("a ClientHello that breaks off in the middle ends in silence", async () => {
      const socket = connect(relay);
      socket.end(record(1, 0, 1, 0, 3, 3));
      assert.equal((await soon(readAll(socket), "the end")).length, 0);
    });
  });

  it("a ClientHello that does not continue is dropped at the deadline, and not before", async () => {
    const clock = new FakeClock();
    const relay = await startTestRelay(scope, { clock });
    const before = clock.pending;
    const socket = connect(relay);
    socket.write(Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]));
    while (clock.pending === before) await turn();
    let isOver = false;
    const end = once(socket.resume(), "end").then(() => {
      isOver = true;
    });
    await clock.advance(helloDeadlineMs - 1);
    // A byte now and then buys no time.
    socket.write("x");
    await turn();
    assert.equal(isOver, false);
    await clock.advance(1);
    await soon(end, "the end");
    socket.destroy();
    await settled(relay);
    assert.equal(clock.pending, before);
  });

  overEachTransport((transport) => {
    it("a ClientHello byte by byte, or in many records, is as good as any", async () => {
      const service = await startHttp(scope, (_request, response) => response.end("hello"));
      const { site } = await startTunnel(scope, { transport, local: service.local });
      for (const divide of [bytes, records]) {
        const visitor = tls.connect({
          socket: divided(connect(site), divide),
          servername: site.hostname,
          ca: site.ca,
        });
        visitor.end("GET / HTTP/1.0\r\n\r\n");
        assert.match((await soon(readAll(visitor), "an answer")).toString(), /^HTTP\/1\.1 200 OK.*hello$/s);
      }
    });

    describe("a visitor with whom no TLS can be agreed on is told why, and the next one is served:", () => {
      // The certificate is of an ECDSA key, the cipher wants RSA.
      const noCipher = { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" } as const;
      const oldTls = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
      for (const [what, offer, alert, says] of [
        ["no common cipher", noCipher, alerts.handshakeFailure, "write"],
        ["no common cipher, said by one who ends at once", noCipher, alerts.handshakeFailure, "end"],
        ["TLS 1.1", oldTls, alerts.protocolVersion, "write"],
        ["no common protocol", { ALPNProtocols: ["smtp"] }, alerts.noApplicationProtocol, "write"],
        ["a challenge among others", { ALPNProtocols: ["acme-tls/1", "h2"] }, alerts.noApplicationProtocol, "write"],
      ] as const) {
        it(what, async () => {
          const service = await startHttp(scope, (_request, response) => response.end("hello"));
          const args = ["--mode", "http"];
          const { site, client } = await startTunnel(scope, { transport, local: service.local, client: { args } });
          const visitor = connect(site);
          visitor[says](await clientHello(site, offer));
          const answer = await soon(readAll(visitor), "an alert and an orderly end");
          assert.equal(answer.length, 7);
          assert.deepEqual([answer[0], answer[5], answer[6]], [21, 2, alert]);
          visitor.end();
          const [visit] = await client.visited(1);
          assert.match(visit?.error?.message ?? "", /^No TLS could be agreed on with the visitor/);
          assert.equal(await get(site), "hello");
        });
      }

      it("what comes after the ClientHello is no TLS", async () => {
        const service = await startHttp(scope, (_request, response) => response.end("hello"));
        const { site, client } = await startTunnel(scope, { transport, local: service.local });
        const visitor = connect(site);
        visitor.write(
          Buffer.concat([await clientHello(site, { maxVersion: "TLSv1.2" }), Buffer.from([23, 3, 3, 0, 1, 0])]),
        );
        const answer = await soon(readAll(visitor), "an alert and an orderly end");
        assert.deepEqual([...answer.subarray(-7)], [21, 3, 3, 0, 2, 2, alerts.unexpectedMessage]);
        visitor.end();
        await client.visited(1);
        assert.equal(await get(site), "hello");
      });

      it("one who hears it and does not leave is dropped", async () => {
        const service = await startHttp(scope, (_request, response) => response.end("hello"));
        const { site, relay } = await startTunnel(scope, { transport, local: service.local });
        const visitor = connect(site);
        visitor.write(await clientHello(site, { ALPNProtocols: ["acme-tls/1", "h2"] }));
        await soon(readAll(visitor), "an alert and an orderly end");
        assert.equal(visitor.writable, true);
        await until(() => relay.counts().streams === 0, "the relay had let go of the visitor");
      });
    });

    it("a visitor who leaves in the middle of the handshake takes nothing along", async () => {
      const service = await startHttp(scope, (_request, response) => response.end("hello"));
      const { site, client } = await startTunnel(scope, { transport, local: service.local });
      const raw = connect(site);
      const visitor = tls.connect({ socket: divided(raw, (hello) => [hello]), servername: site.hostname });
      visitor.on("error", () => {});
      await once(raw, "readable");
      raw.destroy();
      const [visit] = await client.visited(1);
      assert.ok(visit?.error);
      assert.equal(await get(site), "hello");
    });
  });

  function connect(where: Pick<Relay, "publicPort"> | Site): Socket {
    const port = "port" in where ? where.port : where.publicPort;
    const socket = net.connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    socket.on("error", () => {});
    scope.defer(() => socket.destroy());
    return socket;
  }
});

/** What a visitor with these options says first. */
async function clientHello(site: Site, offer: tls.ConnectionOptions): Promise<Buffer> {
  const [near, far] = duplexPair();
  const visitor = tls.connect({ ...offer, socket: near, servername: site.hostname });
  visitor.on("error", () => {});
  const [hello] = (await soon(once(far, "data"), "a ClientHello")) as [Buffer];
  visitor.destroy();
  return hello;
}

function bytes(hello: Buffer): Buffer[] {
  return Array.from(hello, (_byte, i) => hello.subarray(i, i + 1));
}

/** The same handshake message in records of a few hundred bytes. */
function records(hello: Buffer): Buffer[] {
  const message = hello.subarray(5);
  const count = 12;
  const size = Math.ceil(message.length / count);
  return Array.from({ length: count }, (_, i) => {
    const part = message.subarray(i * size, (i + 1) * size);
    return Buffer.concat([Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part]);
  });
}

/** The socket, with the first thing that is written to it in pieces, each in a turn of its own. */
function divided(socket: Socket, divide: (hello: Buffer) => Buffer[]): Duplex {
  let isFirst = true;
  socket.pause();
  return new Duplex({
    allowHalfOpen: true,
    read() {
      socket.resume();
    },
    async write(chunk: Buffer, _encoding, done) {
      const pieces = isFirst ? divide(chunk) : [chunk];
      isFirst = false;
      for (const piece of pieces) {
        await new Promise((resolve) => {
          socket.write(piece, resolve);
        });
        await turn();
      }
      done();
    },
    final(done) {
      socket.end(() => done());
    },
    construct(done) {
      socket.on("data", (chunk) => {
        if (!this.push(chunk)) socket.pause();
      });
      socket.on("end", () => this.push(null));
      socket.on("close", () => this.destroy());
      done();
    },
  });
}
