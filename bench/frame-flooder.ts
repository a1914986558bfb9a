// An admitted client that floods its relay in one way until it is ended, and comes back whenever its link is ended: KIND API_PORT
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { encodeControl } from "@porthole/common/protocol";
import { dialQuicUnchecked } from "./client.ts";

const [kind = "", apiPort = ""] = process.argv.slice(2);
const type = { data: 0, headers: 1, priority: 2, settings: 4, ping: 6, windowUpdate: 8, altsvc: 10, origin: 12 };
const controlStream = 1;
const endHeaders = 0x4;
const blockBytes = 256 * 1024;
const handshakesAtOnce = 20;

/** A frame of HTTP/2: RFC 9113 section 4.1. */
function frame(frameType: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = frameType;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function withLength(text: string): Buffer {
  return Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
}

const frames: Readonly<Record<string, Buffer>> = {
  WINDOW_UPDATE: frame(type.windowUpdate, 0, 0, Buffer.from([0, 0, 0, 1])),
  ORIGIN: frame(type.origin, 0, 0, withLength("https://a.test")),
  ALTSVC: frame(type.altsvc, 0, 0, Buffer.concat([withLength("https://a.test"), Buffer.from("h3")])),
  PRIORITY: frame(type.priority, 0, controlStream, Buffer.from([0, 0, 0, 0, 1])),
  SETTINGS: frame(type.settings, 0, 0, Buffer.alloc(0)),
  PING: frame(type.ping, 0, 0, Buffer.alloc(8)),
};

/** Another key each time: the relay would keep a known one waiting. */
async function admittedByHand(): Promise<TLSSocket> {
  const key = generateKey();
  const { pem: cert } = createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });
  const socket = tls.connect({
    ...{ port: Number(apiPort), host: "127.0.0.1", localAddress: "127.0.0.2" },
    ...{ cert, key: key.pem, ALPNProtocols: ["h2"], rejectUnauthorized: false },
  });
  socket.on("error", () => {}).resume();
  await once(socket, "secureConnect");
  socket.write(frame(type.settings, 0, 0, Buffer.alloc(0)));
  await pause(50);
  // `:status: 200` is entry 8 of HPACK's static table.
  socket.write(frame(type.headers, endHeaders, controlStream, Buffer.of(0x88)));
  const hello = encodeControl({ type: "hello", protocol: 1, software: "flooder", instance: "flooder" });
  socket.write(frame(type.data, 0, controlStream, hello));
  return socket;
}

async function floodFrames(single: Buffer): Promise<void> {
  const block = Buffer.concat(Array.from({ length: Math.ceil(blockBytes / single.length) }, () => single));
  for (;;) {
    try {
      const socket = await admittedByHand();
      const closed = once(socket, "close");
      while (!socket.destroyed) if (!socket.write(block)) await Promise.race([once(socket, "drain"), closed]);
    } catch {
      await pause(20);
    }
  }
}

/** Real handshakes, each closed as soon as it is done. */
async function floodHandshakes(): Promise<void> {
  const over = new PortholeError("closed", "over");
  await Promise.all(
    Array.from({ length: handshakesAtOnce }, async () => {
      for (;;) {
        try {
          (await dialQuicUnchecked(Number(apiPort), AbortSignal.timeout(10_000))).destroy(over);
        } catch {
          await pause(20);
        }
      }
    }),
  );
}

process.stdout.write("flooding\n");
const single = frames[kind];
await (single ? floodFrames(single) : floodHandshakes());
