const firstCapacity = 4 * 1024;

/** The beginning of a stream of bytes, in one piece: a list of its chunks could take a hundred times their size. */
export class GrowingBytes {
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that it takes in memory. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** Copies what there is room for. */
  append(chunk: Uint8Array): void {
    const start = this.length;
    const end = Math.min(start + chunk.length, this.#maxBytes);
    if (end > this.#buffer.length) this.#grow(end);
    this.#buffer.set(end - start === chunk.length ? chunk : chunk.subarray(0, end - start), start);
    this.length = end;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  #grow(needed: number): void {
    // Most bodies come in one chunk.
    const wanted = this.length === 0 ? needed : Math.max(needed, this.#buffer.length * 2, firstCapacity);
    // Not from Node's pool: a few bytes would keep all of it.
    const grown = Buffer.allocUnsafeSlow(Math.min(wanted, this.#maxBytes));
    if (this.length > 0) grown.set(this.bytes);
    this.#buffer = grown;
  }
}
