import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { Writable } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import type { TransportConnection } from "@porthole/common/link";
import { dialQuic, acceptQuic } from "@porthole/common/link/quic";

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

export interface Meter {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** The receiving end, which listens. */
export interface Sink {
  readonly port: number;
  /** Takes one client's stream of this length. */
  receive(bytes: number): Promise<Meter>;
  close(): Promise<void>;
}

const never = new AbortController();

export function startMeter(): () => Meter {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
  };
}

export async function acceptEngine(identity: Identity): Promise<Sink> {
  const listener = await acceptQuic({ address: "127.0.0.1", port: 0, ...identity }, never);
  return {
    port: listener.address.port,
    async receive(bytes) {
      return receiveOn(await first(listener.incoming), bytes);
    },
    close: () => listener.close(),
  };
}

/** Opens a stream and takes so many bytes from it. */
export async function receiveOn(transport: TransportConnection, bytes: number): Promise<Meter> {
  const stream = transport.openStream();
  const stop = startMeter();
  stream.end("go");
  let received = 0;
  stream.on("data", (chunk: Buffer) => (received += chunk.length));
  await once(stream, "end");
  if (received !== bytes) throw new Error(`${received} bytes of ${bytes}`);
  return stop();
}

export async function sendWithEngine(port: number, identity: Identity, bytes: number): Promise<Meter> {
  const trust = { kind: "unchecked" } as const;
  const transport = await dialQuic({ host: "127.0.0.1", port, ...identity, trust }, never);
  const stream = await first(transport.incoming);
  stream.resume();
  const stop = startMeter();
  await writeAll(stream, bytes);
  await once(stream, "close");
  const meter = stop();
  void transport.closed.then(() => process.exit());
  setTimeout(() => void transport.close(new PortholeError("closed", "measured")), 5_000);
  return meter;
}

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error("Nothing came");
}

async function writeAll(stream: Writable, bytes: number): Promise<void> {
  const block = Buffer.alloc(64 * 1024, 1);
  for (let left = bytes; left > 0; left -= block.length) {
    if (!stream.write(left < block.length ? block.subarray(0, left) : block)) await once(stream, "drain");
  }
  stream.end();
}

/** What we use of the package's own classes. They are used nowhere else. */
interface OwnClasses {
  readonly QUICServer: new (options: object) => {
    readonly port: number;
    start(address: { host: string; port: number }): Promise<void>;
    stop(options: { force: boolean }): Promise<void>;
    addEventListener(name: string, callback: (event: { detail: OwnConnection }) => void): void;
  };
  readonly QUICClient: {
    createQUICClient(options: object): Promise<{ readonly connection: OwnConnection }>;
  };
  readonly events: Record<string, { readonly name: string }>;
}

interface OwnConnection {
  newStream(): OwnStream;
  addEventListener(name: string, callback: (event: { detail: OwnStream }) => void): void;
}

interface OwnStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

function ownClasses(): OwnClasses & { readonly logger: object } {
  // Dependencies of common's, not of this folder's.
  const require = createRequire(createRequire(import.meta.url).resolve("@porthole/common/link/quic"));
  const logging = require("@matrixai/logger") as {
    default: new (name: string, level: number) => object;
    LogLevel: { ERROR: number };
  };
  const logger = new logging.default("bench", logging.LogLevel.ERROR);
  return { ...(require("@matrixai/quic") as OwnClasses), logger };
}

const windows = {
  initialMaxData: 16 * 1024 * 1024,
  initialMaxStreamDataBidiLocal: 1024 * 1024,
  initialMaxStreamDataBidiRemote: 1024 * 1024,
};

export async function acceptPackage(identity: Identity): Promise<Sink> {
  const { QUICServer, events, logger } = ownClasses();
  const ops = { sign: async () => new ArrayBuffer(32), verify: async () => true };
  const server = new QUICServer({
    logger,
    crypto: { key: new ArrayBuffer(32), ops },
    config: { ...identity, ...windows, verifyPeer: false },
  });
  await server.start({ host: "127.0.0.1", port: 0 });
  return {
    port: server.port,
    receive: (bytes) =>
      new Promise((resolve, reject) => {
        server.addEventListener(events["EventQUICServerConnection"]?.name ?? "", ({ detail: connection }) => {
          connection.addEventListener(events["EventQUICConnectionStream"]?.name ?? "", ({ detail: stream }) => {
            drain(stream, bytes).then(resolve, reject);
          });
        });
      }),
    close: () => server.stop({ force: true }),
  };
}

async function drain(stream: OwnStream, bytes: number): Promise<Meter> {
  const stop = startMeter();
  let received = 0;
  for await (const chunk of stream.readable) received += chunk.length;
  if (received !== bytes) throw new Error(`${received} bytes of ${bytes}`);
  return stop();
}

export async function sendWithPackage(port: number, bytes: number): Promise<Meter> {
  const { QUICClient, logger } = ownClasses();
  const fill = async (data: ArrayBuffer): Promise<void> => new Uint8Array(data).set(randomBytes(data.byteLength));
  const { connection } = await QUICClient.createQUICClient({
    logger,
    host: "127.0.0.1",
    port,
    localHost: "127.0.0.1",
    crypto: { ops: { randomBytes: fill } },
    config: { ...windows, verifyPeer: false },
  });
  const stop = startMeter();
  const writer = connection.newStream().writable.getWriter();
  const block = Buffer.alloc(64 * 1024, 1);
  for (let left = bytes; left > 0; left -= block.length)
    await writer.write(left < block.length ? block.subarray(0, left) : block);
  await writer.close();
  return stop();
}
