import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import tls from "node:tls";
import { createLink, type Link } from "@porthole/common/link";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic } from "@porthole/common/link/quic";
import { encodeControl, limits, tlsAlert } from "@porthole/common/protocol";
import type { Relay } from "@porthole/relay";
import {
  freePort,
  hastened,
  overEachTransport,
  readAll,
  runCli,
  soon,
  startCli,
  startHttp,
  startTestRelay,
  startTunnel,
  useScope,
  type Scope,
  type Transport,
} from "./fixture/index.ts";

const hello = { type: "hello", protocol: 1, software: "test", instance: "test" } as const;

describe("bad input to the programs", function () {
  this.timeout(60_000);
  const scope = useScope();

  /** Starts the client with a file in its state folder, and expects it to end with an error about that. */
  async function clientWith(file: string, content: string, ...args: string[]): Promise<string> {
    const stateDir = await scope.folder();
    await writeFile(join(stateDir, file), content);
    const server = args.includes("--server") ? [] : ["--server", "127.0.0.1:1"];
    const { code, stderr } = await runCli(scope, "client", [...server, "--state-dir", stateDir, ...args]);
    assert.equal(code, 1, stderr);
    assert.ok(stderr.includes(file), stderr);
    assert.equal(await readFile(join(stateDir, file), "utf8"), content, "the file was changed");
    return stderr;
  }

  it("a damaged key is never replaced", async () => {
    const stderr = await clientWith(
      "primary-key.pem",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    assert.match(stderr, /damaged|can't be decoded/);
  });

  it("a key of a kind that can't serve", async () => {
    const { privateKey } = generateKeyPairSync("x25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    assert.match(await clientWith("primary-key.pem", pem), /x25519/i);
  });

  it("a damaged list of known relays", async () => {
    assert.match(await clientWith("known-relays.json", "{]"), /is damaged/);
  });

  it("a state folder that is a file", async () => {
    const folder = await scope.folder();
    await writeFile(join(folder, "file"), "");
    const { code, stderr } = await runCli(scope, "relay", [
      "--state-dir",
      join(folder, "file", "state"),
      "--api-port",
      "0",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /a part of the path is a file[\s\S]*Choose another path/);
  });

  for (const flag of ["--api-port", "--pub-port"]) {
    it(`${flag} that is taken`, async () => {
      const service = await startHttp(scope, () => {});
      const ports = { "--api-port": "0", "--pub-port": "0", [flag]: String(service.port) };
      const argv = [...Object.entries(ports).flat(), "--state-dir", await scope.folder()];
      const { code, stderr } = await runCli(scope, "relay", argv);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`port ${service.port} is taken[\\s\\S]*${flag}`));
    });
  }

  it("a certificate without its key", async () => {
    const folder = await scope.folder();
    const [one, other] = [generateKey(), generateKey()];
    const { pem } = createCertificate({ key: one, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
    await writeFile(join(folder, "cert.pem"), pem);
    await writeFile(join(folder, "key.pem"), other.pem);
    const argv = ["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem"), "--state-dir", folder];
    const { code, stderr } = await runCli(scope, "relay", argv);
    assert.equal(code, 1);
    assert.match(stderr, /not a certificate and its key/);
  });

  it("a relay that can't be reached is tried again, and the client says when", async () => {
    const port = await freePort();
    const client = startCli(scope, "client", ["--server", `127.0.0.1:${port}`, "--state-dir", await scope.folder()]);
    assert.match(await client.line(/ECONNREFUSED/), /trying again in/);
    assert.equal((await client.kill("SIGINT")).code, 0);
  });

  it("another relay in the place of the one that is known", async () => {
    const relay = await startTestRelay(scope);
    const stateDir = await scope.folder();
    const stranger = { [`127.0.0.1:${relay.apiPort}`]: { fingerprint: "a".repeat(52), certificate: "" } };
    await mkdir(stateDir, { recursive: true });
    await writeFile(join(stateDir, "known-relays.json"), JSON.stringify(stranger));
    const argv = ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", stateDir];
    const { code, stderr } = await runCli(scope, "client", argv);
    assert.equal(code, 1);
    assert.match(stderr, /is not the relay that it was[\s\S]*known-relays\.json/);
  });

  it("--server-fingerprint of another relay, and the right one", async () => {
    const relay = await startTestRelay(scope);
    const argv = [
      "--server",
      `127.0.0.1:${relay.apiPort}`,
      "--state-dir",
      await scope.folder(),
      "--server-fingerprint",
    ];
    const { code, stderr } = await runCli(scope, "client", [...argv, "a".repeat(52)]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`its key is ${relay.fingerprint}`));
    const client = startCli(scope, "client", [...argv, relay.fingerprint]);
    await client.line(/^online/);
    await client.kill("SIGTERM");
  });
});

describe("bad input to the visitors' port", function () {
  this.timeout(60_000);
  const scope = useScope();

  async function visit(relay: Relay, bytes: Buffer, chunkBytes = bytes.length): Promise<Buffer> {
    const socket = await connect(scope, relay.publicPort);
    for (let at = 0; at < bytes.length; at += chunkBytes) socket.write(bytes.subarray(at, at + chunkBytes));
    return await soon(readAll(socket), "an answer and the end");
  }

  it("an unknown name gets unrecognized_name, also byte by byte", async () => {
    const relay = await startTestRelay(scope);
    const bytes = await clientHello(scope, "nobody.localhost");
    assert.deepEqual(await visit(relay, bytes), alert(tlsAlert.unrecognizedName));
    assert.deepEqual(await visit(relay, bytes, 1), alert(tlsAlert.unrecognizedName));
  });

  it("plain HTTP is told to use https", async () => {
    const relay = await startTestRelay(scope);
    const answer = await visit(relay, Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert.match(answer.toString(), /^HTTP\/1\.1 400 [\s\S]*https:\/\//);
  });

  it("an oversized ClientHello is refused before it is there", async () => {
    const relay = await startTestRelay(scope);
    const header = Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]);
    const answer = await visit(relay, Buffer.concat([header, Buffer.alloc(16 * 1024 - 4)]));
    assert.equal(answer[0], 0x15);
  });

  it("garbage gets an alert", async () => {
    const relay = await startTestRelay(scope);
    assert.equal((await visit(relay, Buffer.from("\x00\x01\x02 not TLS")))[0], 0x15);
  });

  it("a ClientHello that does not come to its end is given up at the deadline", async () => {
    const relay = await startTestRelay(scope, { clock: hastened(scope.clock, 50) });
    const bytes = await clientHello(scope, "nobody.localhost");
    const socket = await connect(scope, relay.publicPort);
    socket.write(bytes.subarray(0, 50));
    socket.resume();
    await soon(once(socket, "end"), "the end");
  });
});

describe("bad input to the agents' port", function () {
  this.timeout(60_000);
  const scope = useScope();

  it("garbage, and TLS without a certificate, are closed", async () => {
    const relay = await startTestRelay(scope);
    const garbage = await connect(scope, relay.apiPort);
    garbage.write("GET / HTTP/1.1\r\n\r\n");
    garbage.resume();
    await soon(once(garbage, "end"), "the end of garbage");
    const curl = await clientHello(scope, "localhost");
    const nobody = await connect(scope, relay.apiPort);
    nobody.write(curl);
    nobody.end();
    nobody.resume();
    await soon(once(nobody, "end"), "the end of nobody");
  });

  overEachTransport((transport) => {
    it("a wrong protocol version is refused with its code", async () => {
      const link = await agent(scope, await startTestRelay(scope), transport);
      link.control.send({ ...hello, protocol: 0 });
      const answer = await soon(link.control.next(), "an answer");
      assert.equal(answer?.type === "reject" && answer.code, "version");
      await soon(link.closed, "the end");
    });

    it("a suffix that is no name is refused with its code", async () => {
      const link = await agent(scope, await startTestRelay(scope), transport);
      link.control.send({ ...hello, suffix: "not_a_name" });
      const answer = await soon(link.control.next(), "an answer");
      assert.equal(answer?.type === "reject" && answer.code, "name");
      await soon(link.closed, "the end");
    });

    it("a control message that is too large ends the link, and the relay goes on", async () => {
      const service = await startHttp(scope, (_request, response) => response.end("fine"));
      const { relay, site } = await startTunnel(scope, { transport, local: service.local });
      const carrier = await dial(relay, transport);
      const huge = encodeControl({ ...hello, software: "x" });
      huge.writeUInt32BE(limits.maxControlBytes + 1);
      carrier.control.write(huge);
      carrier.control.on("error", () => {});
      carrier.control.resume();
      await soon(carrier.closed, "the end");
      assert.equal(relay.counts().agents, 1);
      assert.ok(site.hostname);
    });

    it("an agent that never says hello is sent away at the deadline", async () => {
      const relay = await startTestRelay(scope, { clock: hastened(scope.clock, 50) });
      const link = await agent(scope, relay, transport);
      assert.deepEqual((await soon(link.control.next(), "an answer"))?.type, "reject");
      await soon(link.closed, "the end");
    });
  });
});

function alert(code: number): Buffer {
  return Buffer.from([0x15, 3, 3, 0, 2, 2, code]);
}

async function connect(scope: Scope, port: number): Promise<Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  scope.defer(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** What a TLS client of Node's sends first. */
async function clientHello(scope: Scope, servername: string): Promise<Buffer> {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = tls.connect({ port: (server.address() as net.AddressInfo).port, host: "127.0.0.1", servername });
  client.on("error", () => {});
  const [socket] = await accepted;
  scope.defer(() => server.close());
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  client.destroy();
  return bytes;
}

function dial(relay: Relay, transport: Transport) {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: [key.clientId], notBefore: new Date(), days: 1 });
  const target = {
    host: "127.0.0.1",
    port: relay.apiPort,
    cert: pem,
    key: key.pem,
    trust: { kind: "unchecked" },
  } as const;
  const { signal } = new AbortController();
  return transport === "quic"
    ? dialQuic(target, { signal })
    : dialHttp2({ ...target, verifyPeer: () => {} }, { signal });
}

async function agent(scope: Scope, relay: Relay, transport: Transport): Promise<Link> {
  return createLink(await dial(relay, transport), { clock: scope.clock, heartbeat: "send" });
}
