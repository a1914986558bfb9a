import type { ExchangeSummary, InspectorChanges } from "../../rpc/index.ts";

/** A request and the port that it came to. */
export interface Row extends ExchangeSummary {
  readonly tunnel: string;
}

/** Returns a key that is unique among the rows of all ports. */
export function keyOf({ tunnel, id }: Pick<Row, "tunnel" | "id">): string {
  return `${tunnel} ${id}`;
}

/** The list as data, the newest first. Rows that `isShown` refuses are left out, also when they change. */
export class Rows {
  isShown: (row: Row) => boolean = () => true;
  #rows: Row[] = [];
  readonly #byKey = new Map<string, Row>();

  get all(): readonly Row[] {
    return this.#rows;
  }

  find(key: string): Row | undefined {
    return this.#byKey.get(key);
  }

  indexOf(key: string): number {
    const row = this.#byKey.get(key);
    return row ? position(this.#rows, row) : -1;
  }

  clear(): void {
    this.#rows = [];
    this.#byKey.clear();
  }

  /** Adds rows as the daemon lists them. Those that are there have been told of by a change, which is newer. */
  add(tunnel: string, exchanges: readonly ExchangeSummary[]): void {
    const rows = exchanges.map((each) => ({ ...each, tunnel }));
    this.#insert(rows.filter((row) => !this.#byKey.has(keyOf(row)) && this.isShown(row)));
  }

  apply(tunnel: string, { exchanges, removed }: InspectorChanges): void {
    const gone = new Set(removed.map((id) => keyOf({ tunnel, id })));
    const fresh: Row[] = [];
    for (const exchange of exchanges) {
      const row = { ...exchange, tunnel };
      const key = keyOf(row);
      const before = this.#byKey.get(key);
      if (!this.isShown(row)) gone.add(key);
      else if (before) {
        this.#rows[position(this.#rows, before)] = row;
        this.#byKey.set(key, row);
      } else fresh.push(row);
    }
    this.#insert(fresh);
    const isGone = [...gone].filter((key) => this.#byKey.delete(key));
    if (isGone.length > 0) this.#rows = this.#rows.filter((row) => this.#byKey.has(keyOf(row)));
  }

  #insert(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    for (const row of rows) this.#byKey.set(keyOf(row), row);
    this.#rows = [...this.#rows, ...rows].toSorted(newestFirst);
  }
}

/** One port's by their number: a clock may be set back. */
function newestFirst(a: Row, b: Row): number {
  if (a.tunnel === b.tunnel) return b.seq - a.seq;
  return b.startedAt - a.startedAt || (a.tunnel < b.tunnel ? -1 : 1);
}

function position(rows: readonly Row[], row: Row): number {
  return rows.findIndex((each) => each.seq === row.seq && each.tunnel === row.tunnel);
}

const assetTypes =
  /^(image|font|audio|video)\/|^text\/(css|javascript)$|^application\/(javascript|wasm|font-|vnd\.ms-fontobject|manifest\+json)/;
const assetPaths =
  /^\/(@|node_modules\/|_next\/static\/)|\.(css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf|otf|mp[34]|webm|wasm|webmanifest)$/i;

/** Scripts, styles, pictures and fonts: what a page loads by itself. */
export function isAsset({ method, target, kind, responseType }: ExchangeSummary): boolean {
  if ((method !== "GET" && method !== "HEAD") || kind !== "http") return false;
  // A redirect, a 304 or an answer that has not come has no type.
  return responseType === undefined ? assetPaths.test(target.split("?", 1)[0] ?? "") : assetTypes.test(responseType);
}
