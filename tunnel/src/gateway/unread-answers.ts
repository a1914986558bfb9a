import { totalmem } from "node:os";
import { PortholeError } from "@porthole/common/errors";
import { systemClock, type Clock, type Timer } from "@porthole/common/util";
import { limits } from "./limits.ts";

/** Something that waits for one visitor to read it. */
export interface Unread {
  /** Bytes that wait in this process. */
  readonly unreadBytes: number;
  /** Bytes that the visitor has taken so far. */
  readonly takenBytes: number;
  /** Ends it at once. The visitor can't take what it got for the whole. */
  giveUp(error: PortholeError): void;
}

/** One visitor's connection. */
export interface UnreadConnection extends Unread {
  /** The connection's responses, where they can be ended one by one: over HTTP/2. `unreadBytes` of the connection includes theirs. */
  readonly answers?: ReadonlySet<Unread>;
}

export interface UnreadLimits {
  /** Bytes of all answers on one visitor's connection. */
  readonly maxConnectionBytes: number;
  /** Bytes in all. Memory is short from half of it. */
  readonly maxBytes: number;
  /** How long a visitor may take nothing of an answer while memory is short. */
  readonly patienceMs: number;
}

/** Limits of the whole process: at most an eighth of the machine's memory. */
const defaultLimits: UnreadLimits = {
  maxConnectionBytes: limits.maxUnreadConnectionBytes,
  maxBytes: Math.min(limits.maxUnreadBytes, totalmem() / 8),
  patienceMs: limits.unreadPatienceMs,
};

/**
 * Bounds what waits for visitors that do not read their answers. Backpressure bounds each answer, but not how many there are. Beyond a bound
 * the largest answer of the connection that holds the most is ended, until there is room again.
 *
 * Nothing is counted on the good path but bytes that are written. After each sixteenth of the bound, and each second while memory is short, the
 * connections are asked what waits in them.
 */
export class UnreadAnswers {
  readonly #limits: UnreadLimits;
  readonly #clock: Clock;
  readonly #connections = new Set<UnreadConnection>();
  readonly #progress = new WeakMap<Unread, { readonly takenBytes: number; readonly since: number }>();
  #written = 0;
  #timer: Timer | undefined;
  /** How many answers were ended so far. */
  ended = 0;

  constructor(limits: UnreadLimits = defaultLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Bytes that wait now, in all. */
  get bytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.unreadBytes;
    return bytes;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Watches a visitor's connection until the returned function is called. */
  watch(connection: UnreadConnection): () => void {
    this.#connections.add(connection);
    return () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#rest();
    };
  }

  /** Call it for all that is written to visitors. */
  written(bytes: number): void {
    this.#written += bytes;
    if (this.#written >= this.#limits.maxBytes / 16) this.#check();
  }

  #check(): void {
    this.#rest();
    this.#written = 0;
    const { maxBytes, maxConnectionBytes } = this.#limits;
    const sizes = new Map<UnreadConnection, number>();
    let total = 0;
    for (const connection of this.#connections) {
      const bytes = connection.unreadBytes;
      if (bytes === 0) continue;
      const left = bytes > maxConnectionBytes ? this.#shrink(connection, bytes) : bytes;
      sizes.set(connection, left);
      total += left;
    }
    if (total > maxBytes / 2) total -= this.#giveUpStalled(sizes);
    if (total > maxBytes) total = this.#endLargest(sizes, total);
    if (total > maxBytes / 2) this.#timer = this.#clock.timer(limits.unreadCheckMs, () => this.#check());
  }

  /** Returns what is left of it. */
  #shrink(connection: UnreadConnection, bytes: number): number {
    let left = bytes;
    while (left > this.#limits.maxConnectionBytes) {
      const freed = this.#end(largestOf(connection));
      if (freed === 0) break;
      left -= freed;
    }
    return left;
  }

  #endLargest(sizes: Map<UnreadConnection, number>, total: number): number {
    let left = total;
    // With room for what comes next, so that not every answer needs a look at all of them.
    while (left > (this.#limits.maxBytes * 7) / 8) {
      let [largest, most]: [UnreadConnection | undefined, number] = [undefined, 0];
      for (const [connection, bytes] of sizes) if (bytes > most) [largest, most] = [connection, bytes];
      if (!largest) break;
      const freed = this.#end(largestOf(largest));
      left -= freed;
      if (freed === 0 || freed >= most) sizes.delete(largest);
      else sizes.set(largest, most - freed);
    }
    return left;
  }

  /** Ends what no visitor has taken anything of for a while. Returns the bytes that are free then. */
  #giveUpStalled(sizes: Map<UnreadConnection, number>): number {
    const now = this.#clock.monotonic();
    let freed = 0;
    for (const [connection, bytes] of sizes) {
      let freedHere = 0;
      for (const answer of [...(connection.answers ?? [connection])]) {
        const { takenBytes, unreadBytes } = answer;
        const before = this.#progress.get(answer);
        if (unreadBytes === 0 || before?.takenBytes !== takenBytes)
          this.#progress.set(answer, { takenBytes, since: now });
        else if (now - before.since >= this.#limits.patienceMs) freedHere += this.#end(answer);
      }
      freed += freedHere;
      if (freedHere >= bytes) sizes.delete(connection);
      else if (freedHere > 0) sizes.set(connection, bytes - freedHere);
    }
    return freed;
  }

  #end(unread: Unread): number {
    const { unreadBytes } = unread;
    this.ended += 1;
    unread.giveUp(new PortholeError("limit", "The visitor does not read its answer, and memory is short"));
    return unreadBytes;
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** The largest answer, or the connection itself when nothing waits but in its socket. */
function largestOf(connection: UnreadConnection): Unread {
  let [largest, most]: [Unread, number] = [connection, 0];
  for (const answer of connection.answers ?? [])
    if (answer.unreadBytes > most) [largest, most] = [answer, answer.unreadBytes];
  return largest;
}

/** The process's own. */
export const unreadAnswers = new UnreadAnswers();
