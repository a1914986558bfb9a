// What the tests of placing share. It has the name of a test so that it is not published.
import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { createLink, linkLimits, type Link, type LinkStream } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { silentLogger } from "@porthole/common/log";
import { FakeClock } from "@porthole/testing";
import { Account } from "../accounting/index.ts";
import { createRegistry } from "../clients/registry.ts";
import { Traffic } from "../monitoring/traffic.ts";

const over = new PortholeError("closed", "The test is over");

export interface TestClient {
  readonly link: Link;
  /** Resolves to the next stream that the relay opens to it. */
  accepted(): Promise<LinkStream>;
}

export interface TestClientOptions {
  readonly kind?: "quic" | "http2";
  /** It takes everything and says nothing. */
  readonly dark?: boolean;
  readonly instance?: string;
  readonly connectedAt?: number;
}

/** A registry of clients, all with the name id.localhost, and one connection from outside. */
export class PlacementWorld {
  readonly clock = new FakeClock();
  readonly registry = createRegistry();
  readonly visitor: Socket;
  /** The relay's end of the connection. */
  readonly socket: Socket;
  readonly #server: net.Server;

  private constructor(server: net.Server, visitor: Socket, socket: Socket) {
    this.#server = server;
    this.visitor = visitor;
    this.socket = socket;
  }

  static async open(): Promise<PlacementWorld> {
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const connected = once(server, "connection");
    const visitor = net.connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
    visitor.on("error", () => {});
    const [socket] = (await connected) as [Socket];
    socket.on("error", () => {});
    return new PlacementWorld(server, visitor, socket);
  }

  /** What placing takes beside the connection. */
  get placing() {
    return {
      hostname: "id.localhost",
      opening: [Buffer.from("header "), Buffer.from("hello")],
      places: this.registry,
      clock: this.clock,
      log: silentLogger,
      trace: "t",
    };
  }

  client({ kind, dark = false, instance = "test", connectedAt = 0 }: TestClientOptions = {}): TestClient {
    const { clock } = this;
    const pair = memoryConnectionPair();
    if (kind) Object.defineProperty(pair.relay, "kind", { value: kind });
    const link = createLink(pair.relay, { clock, heartbeat: "watch" });
    this.registry.add({
      ...{ id: `${instance} ${kind} ${connectedAt}`, clientId: "id", fingerprint: "id", owner: "id" },
      linkFingerprint: "id",
      dismiss: () => {},
      ...{ software: "test", instance, connectedAt, link, hostnames: ["id.localhost"] },
      ...{ traffic: new Traffic(), isExternallyAuthorized: false },
      account: new Account("test", clock, () => 0),
      revocationReason: () => undefined,
    });
    const there = dark ? pair.client : createLink(pair.client, { clock, heartbeat: "send" });
    return {
      link,
      accepted: async () => (await there.incoming[Symbol.asyncIterator]().next()).value as LinkStream,
    };
  }

  async close(): Promise<void> {
    this.visitor.destroy();
    this.socket.destroy();
    for (const { link } of this.registry.all()) link.destroy(over);
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
    await this.clock.advance(linkLimits.abortDrainMs);
    assert.equal(this.clock.pending, 0, "a timer is left");
  }
}

/** Resolves to the first bytes of a stream. */
export async function greeting(stream: LinkStream): Promise<string> {
  const [chunk] = (await once(stream, "data")) as [Buffer];
  return chunk.toString();
}
