import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import tls from "node:tls";
import type { Target } from "./load.ts";

export interface Visits {
  /** Milliseconds from the first packet to the whole answer, TLS included. */
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly failed: number;
}

/** One visitor after the other with a pause, each on a connection of its own. */
export async function visitsOf(target: Target, seconds: number): Promise<Visits> {
  const times: number[] = [];
  let failed = 0;
  const endAt = performance.now() + seconds * 1_000;
  while (performance.now() < endAt) {
    const startedAt = performance.now();
    try {
      await visit(target);
      times.push(performance.now() - startedAt);
    } catch {
      failed += 1;
    }
    await pause(25);
  }
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(part * times.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), count: times.length, failed };
}

/** Rejects when the connection breaks off; what takes too long is the caller's to end. */
export async function visit({ port, name = "localhost" }: Target): Promise<void> {
  const socket = tls.connect({ port, host: "127.0.0.1", servername: name, rejectUnauthorized: false });
  try {
    socket.write(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`);
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}
