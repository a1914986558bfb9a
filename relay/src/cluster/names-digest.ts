/** A checksum of a set of names that changes with each name alone: 64 bits, in two halves. */
export class NamesDigest {
  #low = 0;
  #high = 0;

  /** Adds the name, or takes it away again. */
  toggle(name: string): void {
    let low = 0x811c9dc5;
    let high = 0x9747b28c;
    for (let index = 0; index < name.length; index++) {
      const code = name.charCodeAt(index);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.#low ^= low;
    this.#high ^= high;
  }

  toString(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
