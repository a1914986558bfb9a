/**
 * A map that holds so many entries at most: what is kept of strangers must not grow with their number. It has a young and an old half;
 * when the young one is full it becomes the old one, and what was not used since then is forgotten.
 */
export class LruCache<T> {
  readonly #half: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: T): void {
    this.#old.delete(key);
    this.#young.set(key, value);
    if (this.#young.size < this.#half) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** A copy, so that entries may be deleted in the meantime. */
  entries(): readonly (readonly [string, T])[] {
    return [...this.#young, ...this.#old];
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
