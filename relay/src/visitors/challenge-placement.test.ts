import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { createLink, linkLimits, type Link, type LinkStream } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/common/link/memory";
import { silentLogger } from "@porthole/common/log";
import { FakeClock } from "@porthole/testing";
import { Account } from "../accounting/index.ts";
import { createRegistry, type Registry } from "../clients/registry.ts";
import { Traffic } from "../monitoring/traffic.ts";
import { placeChallenge } from "./challenge-placement.ts";

const over = new PortholeError("closed", "The test is over");
const opening = [Buffer.from("header "), Buffer.from("hello")];

interface Client {
  readonly link: Link;
  /** The next stream that the relay opens to it. */
  accepted(): Promise<LinkStream>;
}

describe("placing a challenge", () => {
  let clock: FakeClock;
  let registry: Registry;
  let server: net.Server;
  let validator: Socket;
  let socket: Socket;

  beforeEach(async () => {
    clock = new FakeClock();
    registry = createRegistry();
    server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const connected = once(server, "connection");
    validator = net.connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
    validator.on("error", () => {});
    [socket] = (await connected) as [Socket];
    socket.on("error", () => {});
  });

  afterEach(async () => {
    validator.destroy();
    socket.destroy();
    for (const { link } of registry.all()) link.destroy(over);
    const closed = once(server, "close");
    server.close();
    await closed;
    await clock.advance(linkLimits.abortDrainMs);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  function client(instance: string, connectedAt: number): Client {
    const pair = memoryConnectionPair();
    const link = createLink(pair.relay, { clock, heartbeat: "watch" });
    registry.add({
      ...{
        id: `${instance} ${connectedAt}`,
        clientId: "id",
        fingerprint: "id",
        owner: "id",
        software: "test",
        instance,
        link,
      },
      ...{ hostnames: ["id.localhost"], traffic: new Traffic(), connectedAt, isExternallyAuthorized: false },
      account: new Account("test", clock, () => 0),
      revocationReason: () => undefined,
    });
    const there = createLink(pair.client, { clock, heartbeat: "send" });
    return {
      link,
      accepted: async () => (await there.incoming[Symbol.asyncIterator]().next()).value as LinkStream,
    };
  }

  function place(): string {
    return placeChallenge(socket, {
      hostname: "id.localhost",
      opening,
      registry,
      clock,
      log: silentLogger,
      trace: "t",
    });
  }

  async function greeting(stream: LinkStream): Promise<string> {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    return chunk.toString();
  }

  it("says at once that nobody has the name", () => {
    assert.equal(place(), "unknown-name");
  });

  it("asks the process that came last first, over all its links before the other's, and then the other one", async () => {
    const newer = client("newer", 2);
    const older = client("older", 1);
    const newest = client("newer", 3);
    newest.link.openStream = () => {
      throw new PortholeError("busy", "full");
    };
    assert.equal(place(), "forwarded");
    const declined = await newer.accepted();
    assert.match(await greeting(declined), /^header/);
    declined.destroy(new PortholeError("name", "not mine"));
    const stream = await older.accepted();
    assert.match(await greeting(stream), /^header/);
    stream.write("certificate");
    const [answer] = (await once(validator, "data")) as [Buffer];
    assert.equal(answer.toString(), "certificate");
  });

  it("closes the connection when no process knows the challenge", async () => {
    const [one, other] = [client("one", 1), client("other", 2)];
    assert.equal(place(), "forwarded");
    (await other.accepted()).destroy(new PortholeError("name", "not mine"));
    (await one.accepted()).destroy(new PortholeError("name", "not mine"));
    validator.resume();
    await once(validator, "close");
  });

  it("does not ask the next one when the validator has left", async () => {
    const [one, other] = [client("one", 1), client("other", 2)];
    assert.equal(place(), "forwarded");
    const asked = await other.accepted();
    const left = new Promise((resolve) => asked.once("close", resolve));
    socket.destroy();
    await left;
    assert.equal(one.link.openStreams, 0);
  });
});
