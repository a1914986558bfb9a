import { sleep, type Clock } from "@porthole/common/util";
import type { Visit } from "./forwarder.ts";
import { limits } from "./limits.ts";

export interface Draining {
  readonly clock: Clock;
  /** Those that run now. */
  readonly visits: ReadonlySet<Visit>;
  /** Settles when the relay has closed every link: all bytes have reached their visitors then. */
  readonly linksClosed: Promise<unknown>;
}

/**
 * Lets visitors finish on links that take no new ones. A visitor whose bytes have stopped moving has finished, or only keeps its connection
 * alive: it gets an orderly end. Resolves when the relay has closed the links, or after `limits.drain`. Never rejects.
 */
export async function drain({ clock, visits, linksClosed }: Draining): Promise<void> {
  const { quietMs, maxMs, lookMs } = limits.drain;
  const closed = new AbortController();
  void linksClosed.then(() => closed.abort());
  const startedAt = clock.monotonic();
  const withinMs = visits.size > 0 ? maxMs : quietMs;
  let moved = bytesOf(visits);
  let movedAt = startedAt;
  let isEnding = false;
  while (!closed.signal.aborted && clock.monotonic() - startedAt < withinMs) {
    await sleep(clock, lookMs, closed.signal).catch(() => {});
    const bytes = bytesOf(visits);
    if (bytes !== moved) movedAt = clock.monotonic();
    moved = bytes;
    if (isEnding || clock.monotonic() - movedAt < quietMs) continue;
    isEnding = true;
    for (const visit of visits) visit.end();
  }
}

function bytesOf(visits: Iterable<Visit>): number {
  let bytes = 0;
  for (const visit of visits) bytes += visit.bytes;
  return bytes;
}
