import type { ExchangeSummary, InspectorChanges } from "@porthole/tunnel/rpc";

/** The list as data: rows by number, the newest first. */
export class Rows {
  #rows: ExchangeSummary[] = [];
  readonly #byId = new Map<string, ExchangeSummary>();

  get all(): readonly ExchangeSummary[] {
    return this.#rows;
  }

  find(id: string): ExchangeSummary | undefined {
    return this.#byId.get(id);
  }

  indexOf(id: string): number {
    const row = this.#byId.get(id);
    return row ? position(this.#rows, row.seq) : -1;
  }

  /** Newest first, as the daemon lists them. */
  replace(rows: readonly ExchangeSummary[]): void {
    this.#rows = [...rows];
    this.#byId.clear();
    for (const row of rows) this.#byId.set(row.id, row);
  }

  append(older: readonly ExchangeSummary[]): void {
    this.replace(newestFirst([...this.#rows, ...older.filter(({ id }) => !this.#byId.has(id))]));
  }

  /** Those that are new here are the newest, or have not been read yet. */
  apply({ exchanges, removed }: InspectorChanges): void {
    const fresh: ExchangeSummary[] = [];
    for (const row of exchanges) {
      if (this.#byId.has(row.id)) this.#rows[position(this.#rows, row.seq)] = row;
      else fresh.unshift(row);
      this.#byId.set(row.id, row);
    }
    if (fresh.length > 0) this.#rows = newestFirst([...fresh, ...this.#rows]);
    if (removed.length === 0) return;
    for (const id of removed) this.#byId.delete(id);
    this.#rows = this.#rows.filter(({ id }) => this.#byId.has(id));
  }
}

function newestFirst(rows: readonly ExchangeSummary[]): ExchangeSummary[] {
  return rows.toSorted((a, b) => b.seq - a.seq);
}

function position(rows: readonly ExchangeSummary[], seq: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const there = rows[middle]?.seq ?? 0;
    if (there === seq) return middle;
    if (there > seq) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
