import { once } from "node:events";
import net, { type Socket } from "node:net";
import tls from "node:tls";

/** Where visitors go: through the tunnel when there is a name, straight to the service when there is none. */
export interface Target {
  readonly port: number;
  readonly name?: string;
}

function requestFor({ name = "bench" }: Target, path = "/"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
}

/** The service's answer to `/` ends with two letters a, and comes in one piece. */
function isAnswered(chunk: Buffer): boolean {
  return chunk.at(-1) === 0x61;
}

function connect({ port, name }: Target): Socket {
  return name === undefined
    ? net.connect({ port, host: "127.0.0.1", noDelay: true })
    : tls.connect({ port, host: "127.0.0.1", servername: name, rejectUnauthorized: false });
}

/** Requests a second on `connections` that are kept open. */
export async function keptAlive(target: Target, connections: number, seconds: number): Promise<number> {
  const request = requestFor(target);
  let answered = 0;
  let over = false;
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(target);
      await once(socket, target.name === undefined ? "connect" : "secureConnect");
      return socket;
    }),
  );
  const startedAt = performance.now();
  const ends = sockets.map(async (socket) => {
    const closed = once(socket, "close");
    socket.on("data", (chunk: Buffer) => {
      if (!isAnswered(chunk)) return;
      answered += 1;
      if (over) socket.destroy();
      else socket.write(request);
    });
    socket.write(request);
    await closed;
  });
  setTimeout(() => {
    over = true;
  }, seconds * 1_000);
  await Promise.all(ends);
  return (answered * 1_000) / (performance.now() - startedAt);
}

/** New connections a second, each with a full TLS handshake, one request and an orderly end; `atOnce` under way at any time. */
export async function newConnections(target: Target, atOnce: number, seconds: number): Promise<number> {
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1_000;
  const request = requestFor(target);
  let served = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const socket = connect(target);
      socket.write(request);
      const [chunk] = (await once(socket, "data")) as [Buffer];
      if (isAnswered(chunk)) served += 1;
      const closed = once(socket, "close");
      socket.end();
      await closed;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return (served * 1_000) / (performance.now() - startedAt);
}

/** Megabytes a second of one download. */
export async function download(target: Target, bytes: number): Promise<number> {
  const socket = connect(target);
  socket.write(requestFor(target, `/${bytes}`));
  const startedAt = performance.now();
  let received = 0;
  for await (const chunk of socket) {
    received += (chunk as Buffer).length;
    if (received >= bytes) break;
  }
  return received / 1_000 / (performance.now() - startedAt);
}
