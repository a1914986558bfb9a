import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { LruCache } from "@porthole/common/util";
import type { Held } from "./penalties.ts";
import { Rates } from "./rates.ts";
import type { LimitName } from "./relay-limits.ts";

/** One line for each limit and address in this time. */
const everyMs = 60_000;
const maxRemembered = 4_096;
/** The limit on all lines together, whatever their cause. */
const linesPerSecond = 5;

interface Noted {
  /** When the last line was written; monotonic. */
  at: number;
  /** Turned away since then, without a line. */
  unsaid: number;
}

/** Events that have a line in the log. */
export type LimitEvent =
  | { readonly type: "limited"; readonly limit: LimitName; readonly source?: string; readonly before?: number }
  | { readonly type: "kept-out"; readonly source: string; readonly code: string; readonly forMs: number };

/** Logs who is turned away by a limit, in few lines however many come. */
export class LimitLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #record: (event: LimitEvent) => void;
  readonly #noted = new LruCache<Noted>(maxRemembered);
  readonly #lines: Rates;

  /** Each line is also handed to `record`. */
  constructor(clock: Clock, log: Logger, record: (event: LimitEvent) => void) {
    this.#clock = clock;
    this.#record = record;
    this.#log = log;
    this.#lines = new Rates(clock, () => linesPerSecond);
  }

  /** `source`: the address, network or host name that the limit was reached for. */
  reached(limit: LimitName, source: string): void {
    const key = `${limit} ${source}`;
    const noted = this.#noted.get(key);
    const now = this.#clock.monotonic();
    if (noted && now - noted.at < everyMs) {
      noted.unsaid += 1;
      return;
    }
    if (!this.#lines.take("")) return;
    this.#noted.set(key, { at: now, unsaid: 0 });
    const before = noted && noted.unsaid > 0 ? { before: noted.unsaid } : {};
    const facts = { limit, ...(source === "" ? {} : { source }), ...before };
    this.#record({ type: "limited", ...facts });
    this.#log.info(facts, `Turned away by --${optionOf(limit)}`);
  }

  /** An address is kept out from now on. */
  held({ source, leftMs, code, times }: Held): void {
    if (!this.#lines.take("")) return;
    this.#record({ type: "kept-out", source, code, forMs: Math.round(leftMs) });
    this.#log.warn(
      { source, code, times, leftMs: Math.round(leftMs) },
      `${source} is kept out for ${Math.ceil(leftMs / 1_000)} s: ${times} connections of clients that could not be admitted. porthole-relay unblock ${source} lifts it`,
    );
  }
}

function optionOf(limit: LimitName): string {
  if (limit === "penalty") return "max-penalty";
  return limit === "pending-hellos" ? "max-pending-hellos" : limit;
}
