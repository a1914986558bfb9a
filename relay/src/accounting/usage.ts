import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { moveDamaged, readJson, writeJson, type Clock, type Timer } from "@porthole/common/util";
import { Account } from "./account.ts";
import { current, endOfMonth, readUsage, withBytes, type UsageRecord, type UsageRecords } from "./usage-records.ts";

/** How often bytes are added up, and how often the sums are written. */
const settleMs = 5_000;
const writeMs = 60_000;

export interface UsageOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes that one owner may carry in a calendar month (UTC), and in a second. 0 means no limit. */
  readonly limits: () => { readonly bytesPerMonth: number; readonly bandwidth: number };
  /** Called with the bytes that an owner carried since the last call. */
  readonly onBytes?: (label: string, bytes: { readonly bytesIn: number; readonly bytesOut: number }) => void;
  /** An owner has carried more than its month allows. */
  readonly onExceeded?: (owner: string, reason: PortholeError) => void;
}

interface Present {
  readonly account: Account;
  links: number;
}

/** Counts each owner's traffic and keeps it on disk, in one bounded file. The caller closes it. */
export class Usage {
  readonly #path: string;
  readonly #options: UsageOptions;
  readonly #present = new Map<string, Present>();
  #records: UsageRecords;
  #written: UsageRecords;
  #nextWriteAt: number;
  #timer: Timer;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, options: UsageOptions, records: UsageRecords) {
    this.#path = path;
    this.#options = options;
    this.#records = records;
    this.#written = records;
    this.#nextWriteAt = options.clock.monotonic() + writeMs;
    this.#timer = options.clock.timer(settleMs, this.#tick);
  }

  /** A damaged file is moved aside, and counting starts over: the relay must start. */
  static async open(path: string, options: UsageOptions): Promise<Usage> {
    try {
      return new Usage(path, options, (await readJson(path, readUsage)) ?? new Map());
    } catch (reason) {
      options.log.error({ path }, `${PortholeError.from(reason).message}; it is kept as ${path}.damaged`);
      await moveDamaged(path).catch(() => {});
      return new Usage(path, options, new Map());
    }
  }

  /** The account of an owner that has one more link, until `leave`. */
  enter(owner: string, label: string): Account {
    const { clock, limits } = this.#options;
    const present = this.#present.get(owner) ?? {
      account: new Account(label, clock, () => limits().bandwidth),
      links: 0,
    };
    present.links += 1;
    this.#present.set(owner, present);
    return present.account;
  }

  leave(owner: string): void {
    const present = this.#present.get(owner);
    if (present) present.links -= 1;
  }

  /** As of the last adding up, at most five seconds ago. */
  of(owner: string): UsageRecord {
    return current(this.#records.get(owner), this.#options.clock.now());
  }

  /** Why this owner gets no visitors any more this month; undefined when it does. */
  exceeded(owner: string): PortholeError | undefined {
    const { clock, limits } = this.#options;
    const { bytesPerMonth } = limits();
    if (bytesPerMonth === 0 || this.of(owner).bytesThisMonth < bytesPerMonth) return undefined;
    const now = clock.now();
    return new PortholeError("busy", "this client has carried as many bytes this month as this relay allows", {
      hint: `It may come again on ${new Date(endOfMonth(now)).toISOString().slice(0, 10)}.`,
      retryAfterMs: Math.min(endOfMonth(now) - now, 3_600_000),
    });
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    this.#settle();
    this.#write();
    await this.#writing;
  }

  readonly #tick = (): void => {
    const { clock } = this.#options;
    this.#timer = clock.timer(settleMs, this.#tick);
    this.#settle();
    if (clock.monotonic() < this.#nextWriteAt) return;
    this.#nextWriteAt = clock.monotonic() + writeMs;
    this.#write();
  };

  #settle(): void {
    const { clock, onBytes, onExceeded } = this.#options;
    for (const [owner, { account, links }] of this.#present) {
      const bytes = account.settle();
      const sum = bytes.bytesIn + bytes.bytesOut;
      if (sum > 0) {
        this.#records = withBytes(this.#records, owner, sum, clock.now());
        onBytes?.(account.label, bytes);
        const exceeded = this.exceeded(owner);
        if (exceeded && links > 0) onExceeded?.(owner, exceeded);
      } else if (links === 0 && account.traffic.open === 0) {
        this.#present.delete(owner);
      }
    }
  }

  #write(): void {
    const records = this.#records;
    if (records === this.#written) return;
    this.#written = records;
    this.#writing = this.#writing.then(async () => {
      try {
        await writeJson(this.#path, Object.fromEntries(records));
      } catch (reason) {
        this.#options.log.warn({}, PortholeError.from(reason).message);
      }
    });
  }
}
