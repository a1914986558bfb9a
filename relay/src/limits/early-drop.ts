import { PortholeError } from "@porthole/common/errors";
import type { Parser } from "@porthole/common/options";

/** OpenSSH's MaxStartups: from `start` on a part is dropped by chance, which grows to all of them at `full`. */
export interface EarlyDrop {
  readonly start: number;
  /** The percentage that is dropped from `start` on. */
  readonly percent: number;
  readonly full: number;
}

/** `10:30:100`. */
export const earlyDrop: Parser<EarlyDrop> = {
  placeholder: "START:PERCENT:FULL",
  parse(value) {
    const [start = 0, percent = 0, full = 0] = (/^(\d{1,6}):(\d{1,3}):(\d{1,6})$/.exec(value) ?? [])
      .slice(1)
      .map(Number);
    if (full > 0 && start <= full && percent <= 100) return { start, percent, full };
    throw new PortholeError(
      "usage",
      `expected START:PERCENT:FULL like 10:30:100, got ${JSON.stringify(value.slice(0, 100))}`,
    );
  },
};

/** The chance that one more is dropped when so many are there already. */
export function dropChance(present: number, { start, percent, full }: EarlyDrop): number {
  if (present < start) return 0;
  if (present >= full) return 1;
  const first = percent / 100;
  return first + ((1 - first) * (present - start)) / (full - start);
}
