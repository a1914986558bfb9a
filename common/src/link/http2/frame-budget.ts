import { limits } from "../limits.ts";

/** How often all connections are looked at. One timer for all: 10,000 idle ones cost some hundredths of a core. */
const checkMs = 500;
/** Bytes of frames that carry nothing, a second: honest ones are window updates, headers of small frames and pings. */
const bytesPerSecond = 1024 * 1024;
/** The share of carried data that may come on top. */
const share = 0.05;
/** The budget at the start, beside the bytes that may wait for their readers. */
const bytesAtOnce = 2 * 1024 * 1024;

const budgets = new Set<FrameBudget>();
let timer: NodeJS.Timeout | undefined;

/**
 * Notices a peer whose frames carry nothing: WINDOW_UPDATE, PRIORITY, PING, unknown types, padding. Compares the bytes of the connection
 * with those that its streams have delivered. The caller stops it.
 */
export class FrameBudget {
  readonly #received: () => number;
  readonly #streams: () => number;
  readonly #onExceeded: () => void;
  #lastReceived = 0;
  #delivered = 0;
  #excess = 0;
  #checkedAt = performance.now();

  /** `received`: bytes of the connection so far, without TLS's own. `streams`: those that are open. `onExceeded` is called once. */
  constructor(received: () => number, streams: () => number, onExceeded: () => void) {
    this.#received = received;
    this.#streams = streams;
    this.#onExceeded = onExceeded;
    budgets.add(this);
    timer ??= setInterval(checkAll, checkMs).unref();
  }

  /** A stream has delivered bytes to its reader. */
  delivered(bytes: number): void {
    this.#delivered += bytes;
  }

  check(): void {
    const [received, now] = [this.#received(), performance.now()];
    const useless = received - this.#lastReceived - (1 + share) * this.#delivered;
    const allowed = (bytesPerSecond * (now - this.#checkedAt)) / 1_000;
    this.#excess = Math.max(0, this.#excess + useless - allowed);
    this.#lastReceived = received;
    this.#checkedAt = now;
    this.#delivered = 0;
    const waiting = Math.min(this.#streams() * limits.streamWindowBytes, limits.linkWindowBytes);
    if (this.#excess <= bytesAtOnce + waiting) return;
    this.stop();
    this.#onExceeded();
  }

  stop(): void {
    budgets.delete(this);
    if (budgets.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
}

function checkAll(): void {
  for (const budget of budgets) budget.check();
}
