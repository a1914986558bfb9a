import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError } from "../../errors.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";
import { systemClock, withDeadline } from "../../util/index.ts";
import { createLink, type Link } from "../index.ts";
import { acceptHttp2 } from "./index.ts";

const { signal } = new AbortController();
const key = generateKey();
const identity = {
  cert: createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 }).pem,
  key: key.pem,
};
const type = {
  data: 0,
  headers: 1,
  priority: 2,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  altsvc: 10,
  origin: 12,
};
const controlStream = 1;
const padded = 0x8;
const endHeaders = 0x4;

/** A frame of HTTP/2: RFC 9113 section 4.1. */
function frame(kind: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = kind;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function withLength(text: string): Buffer {
  return Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
}

/** `closed`: node:http2 ends the session by itself after 1,000 frames that it takes for invalid. */
const floods: readonly (readonly [what: string, frame: Buffer, code: string])[] = [
  ["WINDOW_UPDATE", frame(type.windowUpdate, 0, 0, Buffer.from([0, 0, 0, 1])), "limit"],
  ["PRIORITY", frame(type.priority, 0, controlStream, Buffer.from([0, 0, 0, 0, 1])), "closed"],
  ["frames of an unknown type", frame(0xee, 0, 0, Buffer.alloc(1_000)), "closed"],
  ["padding without data", frame(type.data, padded, controlStream, Buffer.from([255, ...Array(255).fill(0)])), "limit"],
  ["GOAWAY", frame(type.goaway, 0, 0, Buffer.from("7fffffff00000000", "hex")), "closed"],
  ["ALTSVC", frame(type.altsvc, 0, 0, Buffer.concat([withLength("https://a.test"), Buffer.from("h3")])), "protocol"],
  ["ORIGIN", frame(type.origin, 0, 0, withLength("https://a.test")), "protocol"],
];

const remote = { address: "127.0.0.1", port: 0 };

describe("A link over HTTP/2 ends when the client floods it with", function () {
  this.timeout(60_000);
  let server: net.Server;
  let client: TLSSocket;
  let relay: Link;

  /** A client that writes its frames by hand: TLS, SETTINGS, and the answer to the control stream's CONNECT. */
  beforeEach(async () => {
    const acceptor = acceptHttp2({ ...identity, verifyPeer: () => {} });
    server = net.createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = once(server, "connection").then(([socket]) =>
      acceptor.accept(socket as net.Socket, { remote, signal }),
    );
    const { port } = server.address() as AddressInfo;
    client = tls.connect({ port, host: "127.0.0.1", ...identity, ALPNProtocols: ["h2"], rejectUnauthorized: false });
    client.on("error", () => {}).resume();
    await once(client, "secureConnect");
    client.write(frame(type.settings, 0, 0, Buffer.alloc(0)));
    relay = createLink(await accepted, { clock: systemClock, heartbeat: "watch" });
    // `:status: 200` is entry 8 of HPACK's static table.
    client.write(frame(type.headers, endHeaders, controlStream, Buffer.of(0x88)));
  });

  afterEach(async () => {
    client.destroy();
    relay.destroy(new PortholeError("closed", "The test is over"));
    await relay.closed;
    await new Promise((resolve) => server.close(resolve));
  });

  for (const [what, single, code] of floods) {
    it(what, async () => {
      const block = Buffer.concat(Array.from({ length: Math.ceil((256 * 1024) / single.length) }, () => single));
      const flooding = flood(client, block, relay);
      const reason = await withDeadline({ clock: systemClock, delayMs: 20_000, what, signal }, () => relay.closed);
      client.destroy();
      await flooding;
      assert.equal(reason.code, code, reason.message);
    });
  }

  it("not for one GOAWAY: the link ends in order, and soon", async () => {
    client.write(floods.find(([what]) => what === "GOAWAY")?.[1] ?? "");
    const startedAt = performance.now();
    assert.equal((await relay.closed).code, "closed");
    assert.ok(performance.now() - startedAt < 10_000);
  });
});

async function flood(client: TLSSocket, block: Buffer, relay: Link): Promise<void> {
  while (!client.destroyed)
    if (!client.write(block)) await Promise.race([once(client, "drain"), relay.closed]).catch(() => {});
}
