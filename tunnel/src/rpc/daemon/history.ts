import type { HistoryEntry } from "../contract/index.ts";

/** The limit for one tunnel. A state has some kilobytes, a request some hundred bytes. */
const maxEntries = 200;
/** More than run at once. A tunnel that is over may say a last word after it was forgotten. */
const maxTunnels = 200;

/** The newest events of each tunnel, for programs that attach later. The oldest entry is dropped beyond 200. */
export class History {
  readonly #entries = new Map<string, HistoryEntry[]>();

  add(id: string, entry: HistoryEntry): void {
    const entries = this.#entries.get(id) ?? this.#begin(id);
    entries.push(entry);
    if (entries.length > maxEntries) entries.shift();
  }

  #begin(id: string): HistoryEntry[] {
    const entries: HistoryEntry[] = [];
    this.#entries.set(id, entries);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > maxTunnels && oldest !== undefined) this.#entries.delete(oldest);
    return entries;
  }

  /** Returns the newest entries, the oldest of them first. */
  newest(id: string, limit: number = maxEntries): readonly HistoryEntry[] {
    return (this.#entries.get(id) ?? []).slice(-limit);
  }

  forget(id: string): void {
    this.#entries.delete(id);
  }
}
