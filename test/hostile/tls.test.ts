import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net, { type Socket } from "node:net";
import { duplexPair } from "node:stream";
import tls, { type TLSSocket } from "node:tls";
import {
  closed,
  get,
  needProgram,
  soon,
  startHttp,
  startTcp,
  startTunnel,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

/** A connection that is not ended at once would end by a deadline of the gateway, or never. */
const endsWithinMs = 5_000;

/** What a visitor may send instead of the record that it should, once TLS is up. */
const records: Readonly<Record<string, (record: Buffer) => Buffer>> = {
  "a wrong MAC": (record) => Buffer.concat([record.subarray(0, -1), Buffer.from([(record.at(-1) ?? 0) ^ 1])]),
  "a record of one byte": () => Buffer.from([23, 3, 3, 0, 1, 0]),
  "an empty record": () => Buffer.from([23, 3, 3, 0, 0]),
  "a record that is too long": () => Buffer.concat([Buffer.from([23, 3, 3, 0xff, 0xff]), Buffer.alloc(0xffff)]),
  "a record of no known type": () => Buffer.from([99, 3, 3, 0, 1, 0]),
  "a plain alert": () => Buffer.from([21, 3, 3, 0, 2, 2, 40]),
  "a plain handshake message": () => Buffer.from([22, 3, 3, 0, 4, 0, 0, 0, 0]),
  "a change of ciphers": () => Buffer.from([20, 3, 3, 0, 1, 1]),
  "plain text": () => Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
};

describe("TLS with hostile visitors", function () {
  this.timeout(120_000);
  const scope = useScope();

  for (const version of ["TLSv1.2", "TLSv1.3"] as const)
    it(`${version}: an error after the handshake ends the connection, and the service's with it`, async () => {
      const services = new Set<Socket>();
      const service = await startTcp(scope, (socket) => {
        services.add(socket);
        socket.on("error", () => {}).on("close", () => services.delete(socket));
        socket.resume().write("ready");
      });
      const tunnel = { transport: "quic", local: service.local, client: { args: ["--mode", "tcp"] } } as const;
      const { site } = await startTunnel(scope, tunnel);
      for (const [what, change] of Object.entries(records)) {
        const { raw, secure, changeNext } = connect(site, version);
        await soon(once(secure, "data"), "the service's greeting");
        const end = closed(raw);
        changeNext(change);
        secure.write("x");
        await soon(end, `the end after ${what}`, endsWithinMs);
      }
      const last = connect(site, version);
      await soon(once(last.secure, "data"), "the service's greeting");
      assert.equal(services.size, 1);
    });

  it("does not renegotiate", async () => {
    const service = await startHttp(scope, (_request, response) => void response.end("hello"));
    const { site } = await startTunnel(scope, { transport: "quic", local: service.local });
    for (let count = 0; count < 3; count++) {
      const { secure } = connect(site, "TLSv1.2");
      await soon(once(secure, "secureConnect"), "a handshake");
      const outcome = new Promise<Error | undefined>((resolve) => {
        secure.once("close", () => resolve(new Error("The connection ended")));
        secure.renegotiate({}, (error) => resolve(error ?? undefined));
        // OpenSSL's ClientHello goes out with the next bytes only.
        secure.write("x");
      });
      assert.ok(await soon(outcome, "the refusal", endsWithinMs));
      secure.destroy();
    }
    assert.equal(await get(site), "hello");
  });

  it("serves others while a visitor changes keys and sends a record for each byte", async function () {
    needProgram(this, "openssl");
    const service = await startHttp(scope, (_request, response) => void response.end("hello"));
    const { site } = await startTunnel(scope, { transport: "quic", local: service.local });
    const flood = spawn(
      "openssl",
      ["s_client", "-connect", `127.0.0.1:${site.port}`, "-servername", site.hostname, "-alpn", "http/1.1", "-quiet"],
      { stdio: ["pipe", "ignore", "ignore"] },
    );
    scope.defer(() => void flood.kill("SIGKILL"));
    flood.stdin.on("error", () => {});
    // "K" at the beginning of a line asks both sides for new keys.
    const { secure } = connect(site, "TLSv1.3");
    await soon(once(secure, "secureConnect"), "a handshake");
    secure.on("error", () => {});
    const before = process.cpuUsage();
    for (let count = 0; count < 50; count++) {
      flood.stdin.write("K\n".repeat(200));
      for (let byte = 0; byte < 200; byte++) secure.write("G");
      assert.equal(await soon(get(site), "an answer", endsWithinMs), "hello");
    }
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1_000 < 20_000, `${(user + system) / 1_000} ms of processor time`);
  });

  /** A visitor's TLS connection, whose next records can be changed on their way. */
  function connect(site: Site, version: "TLSv1.2" | "TLSv1.3") {
    const raw = net.connect({ host: "127.0.0.1", port: site.port, noDelay: true });
    const [near, far] = duplexPair();
    let change: ((record: Buffer) => Buffer) | undefined;
    raw.on("error", () => {}).on("data", (chunk) => far.write(chunk));
    raw.on("close", () => far.destroy());
    far.on("data", (chunk: Buffer) => void raw.write(change ? change(chunk) : chunk));
    const secure: TLSSocket = tls.connect({
      ...{ socket: near, servername: site.hostname, ca: site.ca, minVersion: version, maxVersion: version },
    });
    secure.on("error", () => {});
    scope.defer(() => {
      raw.destroy();
      secure.destroy();
    });
    return { raw, secure, changeNext: (next: (record: Buffer) => Buffer) => void (change = next) };
  }
});
