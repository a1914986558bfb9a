/** First in, first out, each in constant time: a Set looks at every place that was emptied before it finds its first element. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  /** The oldest, or the second oldest when that is the one to keep. */
  shiftBut(keep: T): T | undefined {
    const oldest = this.#items[this.#first];
    const item = oldest === keep ? this.#items[this.#first + 1] : oldest;
    if (item === undefined) return undefined;
    if (oldest === keep) this.#items[this.#first + 1] = oldest;
    this.#items[this.#first] = undefined;
    this.#first++;
    if (this.#first > 1_000 && this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
  }
}
