import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { formatMinute, readJson, recordHangs, type Clock } from "@porthole/common/util";
import { limits } from "./limits.ts";
import type { Dialers } from "./relay-dialer.ts";

interface Hangs {
  readonly hangs: number;
  /** The last one, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * After the QUIC engine has hung and the watchdog has ended the process, the next process serves over HTTP/2 and leaves QUIC out for a
 * while: longer after each hang.
 */
export class QuicRest {
  readonly #clock: Clock;
  readonly #endsAt: number;

  private constructor(clock: Clock, endsAt: number) {
    this.#clock = clock;
    this.#endsAt = endsAt;
  }

  /** Reads what the last process has left, and says where the watchdog of this one writes. Never rejects. */
  static async open(stateDir: string, clock: Clock): Promise<QuicRest> {
    const path = join(stateDir, "quic-hangs.json");
    // A file that can't be read costs a rest at most.
    const last = await readJson(path, parse).catch(() => undefined);
    const endsAt = last ? last.at + restMs(last.hangs) : 0;
    const isForgotten = clock.now() > endsAt + limits.quicRest.forgetMs;
    recordHangs({ path, hangs: isForgotten ? 0 : (last?.hangs ?? 0) });
    return new QuicRest(clock, endsAt);
  }

  /** The same transports, with the rest heeded. Another engine than the one that hung needs none. */
  over(dialers: Dialers): Dialers {
    const { quic } = dialers;
    if (!quic.available || quic.engine === "native") return dialers;
    return { ...dialers, quic: { ...quic, assertRested: () => this.#assertOver() } };
  }

  /** Throws `busy`, with the time until QUIC may be tried again. */
  #assertOver(): void {
    // A clock that was set back does not make the rest longer than it can be.
    const leftMs = Math.min(this.#endsAt - this.#clock.now(), limits.quicRest.maxMs);
    if (leftMs <= 0) return;
    const until = formatMinute(this.#clock.now() + leftMs);
    throw new PortholeError("busy", `QUIC rests until ${until}, because its engine hung`, { retryAfterMs: leftMs });
  }
}

function restMs(hangs: number): number {
  const { firstMs, factor, maxMs } = limits.quicRest;
  return Math.min(firstMs * factor ** (hangs - 1), maxMs);
}

function parse(value: unknown): Hangs {
  const { hangs, at } = (value ?? {}) as Partial<Record<keyof Hangs, unknown>>;
  if (!Number.isSafeInteger(hangs) || !Number.isSafeInteger(at) || (hangs as number) < 1)
    throw new Error("it does not say how often QUIC hung");
  return { hangs: hangs as number, at: at as number };
}
