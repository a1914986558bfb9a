import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { FakeClock } from "@porthole/testing/fake-clock";
import { Front } from "@porthole/testing/front";
import { systemClock, type Clock } from "../../util/index.ts";
import { challengeCertificate } from "./challenge-certificate.ts";
import { Challenges } from "./challenges.ts";
import { selfTest } from "./self-test.ts";

const name = "abc.tunnel.test";

describe("self-test", () => {
  let front: Front;
  const { signal } = new AbortController();

  beforeEach(async () => {
    front = new Front();
    await front.listen();
  });
  afterEach(() => front.close());

  function test(addresses: readonly string[], port = front.port, clock: Clock = systemClock): Promise<void> {
    return selfTest({ name, answer: front.challenges, clock, port, lookup: async () => addresses }, signal);
  }

  it("passes where a validator would, on all addresses, and leaves nothing behind", async () => {
    await test(["127.0.0.1"]);
    await test(["127.0.0.1", "127.0.0.1"]);
    assert.equal(front.challenges.find(name), undefined);
  });

  it("DNS: no such name, no address", async () => {
    await assert.rejects(test([]), { code: "name", hint: /A or AAAA record for it \(or one for \*\.tunnel\.test\)/ });
    const lookup = (code: string) => async (): Promise<never> => {
      throw Object.assign(new Error("getaddrinfo"), { code });
    };
    const options = { name, answer: front.challenges, clock: systemClock };
    await assert.rejects(selfTest({ ...options, lookup: lookup("ENOTFOUND") }, signal), { code: "name" });
    await assert.rejects(selfTest({ ...options, lookup: lookup("EAI_AGAIN") }, signal), { code: "unreachable" });
  });

  it("a port that is closed, on any of the addresses", async () => {
    await assert.rejects(test(["127.0.0.2"]), { code: "unreachable", hint: /\{alpn-port\}/ });
    await assert.rejects(test(["127.0.0.1", "127.0.0.2"]), { code: "unreachable", message: /127\.0\.0\.2/ });
  });

  it("a relay that does not know the name", async () => {
    const other = new Front();
    await other.listen();
    await assert.rejects(test(["127.0.0.1"], other.port), { code: "closed", message: /does not know the name/ });
    await other.close();
  });

  it("another client with the same name", async () => {
    const other = new Front();
    await other.listen();
    other.challenges.publish(name, challengeCertificate(name, "another's", Date.now()));
    await assert.rejects(test(["127.0.0.1"], other.port), { code: "closed", message: /somebody else/ });
    await other.close();
  });

  it("another server, or one that says nothing", async () => {
    const server = createServer((socket) =>
      socket.on("error", () => {}).on("data", () => socket.end("HTTP/1.1 400\r\n\r\n")),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await assert.rejects(test(["127.0.0.1"], port), { code: "closed", hint: /a relay of Porthole's/ });
    server.removeAllListeners("connection");
    const clock = new FakeClock();
    const connected = once(server, "connection");
    const silent = assert.rejects(test(["127.0.0.1"], port, clock), { code: "timeout" });
    await connected;
    await clock.advance(10_000);
    await silent;
    server.close();
  });

  it("its own answer is withdrawn whatever happens", async () => {
    const published: string[] = [];
    const answer = new (class extends Challenges {
      override publish(...what: Parameters<Challenges["publish"]>): void {
        published.push(what[0]);
        super.publish(...what);
      }
    })();
    const lookup = async (): Promise<string[]> => ["127.0.0.2"];
    await assert.rejects(selfTest({ name, answer, clock: systemClock, port: front.port, lookup }, signal));
    assert.deepEqual(published, [name]);
    assert.equal(answer.find(name), undefined);
  });
});
