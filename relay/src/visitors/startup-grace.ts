import type { Clock } from "@porthole/common/util";

/**
 * Lets visitors of a relay that has just started wait for clients that are not back yet: after a restart a name is nobody's for a
 * second or two, and an error would tell its visitors that it does not exist.
 */
export class StartupGrace {
  readonly #clock: Clock;
  readonly #endsAt: number;
  readonly #expectedMs: (hostname: string) => number;
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Starts now and lasts `delayMs`. `expectedMs` returns for how long a name's client is expected back, 0 for one that is not. */
  constructor(clock: Clock, delayMs: number, expectedMs: (hostname: string) => number = () => 0) {
    this.#clock = clock;
    this.#endsAt = clock.monotonic() + delayMs;
    this.#expectedMs = expectedMs;
  }

  /** A client with this host name is there. */
  arrived(hostname: string): void {
    for (const resume of this.#waiting.get(hostname) ?? []) resume();
  }

  /**
   * Whether it makes sense to wait for this host name. Then `resume` is called once: when it is there, or when the time is over; the answer
   * ends the wait before.
   */
  wait(hostname: string, resume: () => void): (() => void) | undefined {
    const leftMs = Math.max(this.#endsAt - this.#clock.monotonic(), this.#expectedMs(hostname));
    if (leftMs <= 0) return undefined;
    const stop = (): void => {
      timer.cancel();
      const others = this.#waiting.get(hostname);
      others?.delete(once);
      if (others?.size === 0) this.#waiting.delete(hostname);
    };
    const once = (): void => {
      stop();
      resume();
    };
    const timer = this.#clock.timer(leftMs, once);
    this.#waiting.set(hostname, (this.#waiting.get(hostname) ?? new Set()).add(once));
    return stop;
  }
}
