import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type TransportConnection, type Link, type LinkStream } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/common/link/memory";
import { silentLogger } from "@porthole/common/log";
import { FakeClock } from "@porthole/testing";
import { Account } from "../accounting/index.ts";
import { placeVisitor } from "./placement.ts";
import { createRegistry, type Registry } from "../clients/registry.ts";
import { Traffic } from "../monitoring/traffic.ts";
import { linkLimits } from "@porthole/common/link";

const over = new PortholeError("closed", "The test is over");
const opening = [Buffer.from("header "), Buffer.from("hello")];
const { suspectMs } = linkLimits.linkSilence;

describe("placing a visitor", () => {
  let clock: FakeClock;
  let registry: Registry;
  let server: net.Server;
  let visitor: Socket;
  let socket: Socket;

  beforeEach(async () => {
    clock = new FakeClock();
    registry = createRegistry();
    server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const connected = once(server, "connection");
    visitor = net.connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
    visitor.on("error", () => {});
    [socket] = (await connected) as [Socket];
    socket.on("error", () => {});
  });

  afterEach(async () => {
    visitor.destroy();
    socket.destroy();
    for (const { link } of registry.all()) link.destroy(over);
    const closed = once(server, "close");
    server.close();
    await closed;
    await clock.advance(linkLimits.abortDrainMs);
    assert.equal(clock.pending, 0, "a timer is left");
  });

  /** A client's link; one that is dark takes everything and says nothing. */
  function client(
    kind: "quic" | "http2",
    dark: boolean,
  ): { readonly accepted: () => Promise<LinkStream>; readonly link: Link } {
    const pair = memoryConnectionPair();
    Object.defineProperty(pair.relay, "kind", { value: kind });
    const link = createLink(pair.relay, { clock, heartbeat: "watch" });
    const shown = {
      id: kind,
      connectedAt: 0,
      software: "test",
      account: new Account("test", clock, () => 0),
      traffic: new Traffic(),
      isExternallyAuthorized: false,
      hostnames: ["id.localhost"],
      instance: kind,
      owner: "id",
    };
    registry.add({
      ...shown,
      clientId: "id",
      fingerprint: "id",
      hostnames: ["id.localhost"],
      link,
      revocationReason: () => undefined,
    });
    const client: TransportConnection | Link = dark
      ? pair.client
      : createLink(pair.client, { clock, heartbeat: "send" });
    return {
      link,
      accepted: async () => (await client.incoming[Symbol.asyncIterator]().next()).value as LinkStream,
    };
  }

  function place(): string {
    return placeVisitor(socket, { hostname: "id.localhost", opening, registry, clock, log: silentLogger, trace: "t" });
  }

  async function greeting(stream: LinkStream): Promise<string> {
    const [chunk] = (await once(stream, "data")) as [Buffer];
    return chunk.toString();
  }

  it("says at once that nobody has the name", () => {
    assert.equal(place(), "unknown-name");
  });

  it("says that there is no room", () => {
    const { link } = client("quic", false);
    link.openStream = () => {
      throw new PortholeError("busy", "full");
    };
    assert.equal(place(), "full");
  });

  it("moves a visitor from a link that has gone dark to one that answers", async () => {
    const http2 = client("http2", false);
    const quic = client("quic", true);
    assert.equal(place(), "forwarded");
    assert.match(await greeting(await quic.accepted()), /^header/);
    await clock.advance(suspectMs);
    await clock.advance(0);
    const stream = await http2.accepted();
    assert.match(await greeting(stream), /^header/);
    stream.write("welcome");
    const [answer] = (await once(visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "welcome");
    assert.equal(quic.link.isSilent, true);
    // A visitor that comes now does not even try.
    assert.equal(registry.find("id.localhost")[0]?.link, http2.link);
  });

  it("moves a visitor whom nobody has answered to one that comes later", async () => {
    const quic = client("quic", true);
    place();
    await quic.accepted();
    await clock.advance(3 * suspectMs);
    assert.equal(quic.link.isSilent, true);
    const http2 = client("http2", false);
    await clock.advance(suspectMs);
    await clock.advance(0);
    assert.match(await greeting(await http2.accepted()), /^header/);
  });

  it("moves a visitor who came to one that was silent, when all were", async () => {
    const quic = client("quic", true);
    quic.link.openStream().write("?");
    await clock.advance(2 * suspectMs);
    assert.equal(quic.link.isSilent, true);
    place();
    const http2 = client("http2", false);
    await clock.advance(suspectMs);
    await clock.advance(0);
    assert.match(await greeting(await http2.accepted()), /^header/);
  });

  it("leaves a visitor where he is when nobody else answers either", async () => {
    const http2 = client("http2", true);
    const quic = client("quic", true);
    place();
    const stream = await quic.accepted();
    await clock.advance(3 * suspectMs);
    assert.equal(http2.link.openStreams, 0);
    stream.write("better late");
    const [answer] = (await once(visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "better late");
  });

  it("moves nobody who has had an answer", async () => {
    const http2 = client("http2", false);
    const quic = client("quic", true);
    place();
    const stream = await quic.accepted();
    stream.write("first");
    await once(visitor, "data");
    visitor.write("second");
    await clock.advance(3 * suspectMs);
    assert.equal(quic.link.openStreams, 1);
    assert.equal(http2.link.openStreams, 0);
  });
});
