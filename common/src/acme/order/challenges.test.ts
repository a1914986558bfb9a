import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { memoryPipe } from "@porthole/testing/memory-pipe";
import { alpn } from "../../protocol/index.ts";
import { FakeClock } from "@porthole/testing/fake-clock";
import { challengeCertificate } from "./challenge-certificate.ts";
import { answerChallenge, Challenges } from "./challenges.ts";

const name = "abc.tunnel.test";

describe("answering a challenge", () => {
  const clock = new FakeClock();
  const made = challengeCertificate(name, "token.thumbprint", clock.now());
  let validator: Duplex;
  let stream: Duplex;
  let abort: AbortController;

  beforeEach(() => {
    [validator, stream] = memoryPipe();
    abort = new AbortController();
  });
  afterEach(() => {
    validator.destroy();
    assert.ok(stream.destroyed);
    assert.equal(clock.pending, 0);
  });

  function answer(): Promise<void> {
    const challenges = new Challenges();
    challenges.publish(name, made);
    const context = challenges.find(name);
    assert.ok(context);
    return answerChallenge(stream, context, { clock, signal: abort.signal });
  }

  function knock(options: tls.ConnectionOptions = {}): tls.TLSSocket {
    const more = { servername: name, rejectUnauthorized: false, ALPNProtocols: [alpn.acmeChallenge], ...options };
    return tls.connect({ socket: validator, ...more }).on("error", () => {});
  }

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`shows the certificate and ends, ${version}`, async () => {
      const answered = answer();
      const socket = knock({ minVersion: version, maxVersion: version });
      await once(socket, "secureConnect");
      assert.equal(socket.alpnProtocol, alpn.acmeChallenge);
      assert.deepEqual(socket.getPeerX509Certificate()?.raw, new X509Certificate(made.certificate).raw);
      socket.resume();
      await once(socket, "end");
      socket.end();
      await answered;
    });
  }

  it("one that stays is left after a moment", async () => {
    const answered = answer();
    const socket = knock();
    await once(socket.resume(), "end");
    await clock.advance(2_000);
    await answered;
  });

  it("one that leaves as soon as it has seen it is content", async () => {
    const answered = answer();
    const socket = knock({ maxVersion: "TLSv1.2" }); // there the server is done first
    await once(socket, "secureConnect");
    socket.destroy();
    await answered;
  });

  it("who does not speak acme-tls/1 sees no certificate", async () => {
    const answered = assert.rejects(answer(), { code: "closed" });
    const socket = knock({ ALPNProtocols: ["h2"] });
    await new Promise((resolve) => socket.on("close", resolve));
    assert.equal(socket.getPeerX509Certificate(), undefined);
    await answered;
  });

  it("who says nothing, or nonsense, or leaves, is not waited for", async () => {
    const silent = assert.rejects(answer(), { code: "timeout" });
    await clock.advance(10_000);
    await silent;
    [validator, stream] = memoryPipe();
    const nonsense = assert.rejects(answer(), { code: "closed" });
    validator.end("GET / HTTP/1.1\r\n\r\n");
    await nonsense;
    [validator, stream] = memoryPipe();
    const gone = assert.rejects(answer(), { code: "closed" });
    validator.destroy();
    await gone;
    [validator, stream] = memoryPipe();
    const stopped = assert.rejects(answer(), /that's all/);
    abort.abort(new Error("that's all"));
    await stopped;
  });
});

describe("Challenges", () => {
  it("show nothing for other names, or when it is over", () => {
    const made = challengeCertificate(name, "token.thumbprint", 0);
    const challenges = new Challenges();
    challenges.publish(name, made);
    assert.equal(challenges.find("other.tunnel.test"), undefined);
    challenges.withdraw(name);
    assert.equal(challenges.find(name), undefined);
  });
});
