/** One line of the table. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What we want: at least this, or at most where `atMost` says so. */
  readonly target?: number;
  readonly atMost?: boolean;
  readonly note?: string;
}

/** Called with each row as soon as it is measured. */
export type ShowRow = (row: BenchRow) => void;

export function meetsTarget({ value, target, atMost }: BenchRow): boolean | undefined {
  if (target === undefined) return undefined;
  return atMost ? value <= target : value >= target;
}
