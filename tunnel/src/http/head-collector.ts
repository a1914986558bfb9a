const lineFeed = 10;
const carriageReturn = 13;

/** Why a head is rejected before its end. */
export type HeadFault = "too-large" | "bare-line-feed";

/**
 * Collects the lines of a head (or of a trailer section) until its empty line. Bytes that arrive together are not copied; a head in many
 * pieces costs a time that is linear in its length.
 */
export class HeadCollector {
  readonly #maxBytes: number;
  readonly #isStrict: boolean;
  #kept: Buffer | undefined;
  #keptBytes = 0;
  /** Offset of the line that is not complete yet. */
  #lineStart = 0;
  /** The whole head with its empty line, as Latin-1. Set once `take` has found the end. */
  text = "";

  /** A strict collector takes CRLF only; otherwise a bare line feed ends a line, too (RFC 9112 section 2.2). */
  constructor(maxBytes: number, isStrict: boolean) {
    this.#maxBytes = maxBytes;
    this.#isStrict = isStrict;
  }

  get isEmpty(): boolean {
    return this.#keptBytes === 0;
  }

  /** Reads `chunk` from `start`. Returns the index after the head, or undefined when more has to come. */
  take(chunk: Buffer, start: number): number | HeadFault | undefined {
    if (this.#kept === undefined) {
      const end = this.#endIn(chunk, start, start, chunk.length);
      if (typeof end === "string") return end;
      if (end !== undefined) {
        if (end - start > this.#maxBytes) return "too-large";
        this.text = chunk.toString("latin1", start, end);
        return end;
      }
    }
    const before = this.#keptBytes;
    const kept = this.#keep(chunk, start);
    const end = this.#endIn(kept, 0, this.#lineStart, this.#keptBytes);
    if (typeof end === "string") return end;
    if ((end ?? this.#keptBytes) > this.#maxBytes) return "too-large";
    if (end === undefined) return undefined;
    this.text = kept.toString("latin1", 0, end);
    this.#kept = undefined;
    this.#keptBytes = 0;
    this.#lineStart = 0;
    return start + end - before;
  }

  /** The part that has come of an incomplete head. */
  get beginning(): Buffer {
    return this.#kept?.subarray(0, this.#keptBytes) ?? Buffer.alloc(0);
  }

  /** The first line of a head that is not whole, as far as it has come. */
  get firstLine(): string {
    const { beginning } = this;
    const feed = beginning.indexOf(lineFeed);
    return beginning.toString("latin1", 0, feed < 0 ? beginning.length : feed + 1);
  }

  #endIn(bytes: Buffer, headStart: number, from: number, end: number): number | HeadFault | undefined {
    let lineStart = from;
    for (;;) {
      const feed = bytes.indexOf(lineFeed, lineStart);
      if (feed < 0 || feed >= end) {
        this.#lineStart = lineStart - headStart;
        return undefined;
      }
      const hasReturn = feed > lineStart && bytes[feed - 1] === carriageReturn;
      if (!hasReturn && this.#isStrict) return "bare-line-feed";
      if (feed - (hasReturn ? 1 : 0) === lineStart) return feed + 1;
      lineStart = feed + 1;
    }
  }

  #keep(chunk: Buffer, start: number): Buffer {
    const needed = this.#keptBytes + chunk.length - start;
    let kept = this.#kept;
    if (!kept || needed > kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#keptBytes, 512));
      if (kept) grown.set(kept.subarray(0, this.#keptBytes));
      kept = grown;
      this.#kept = grown;
    }
    kept.set(start === 0 ? chunk : chunk.subarray(start), this.#keptBytes);
    this.#keptBytes = needed;
    return kept;
  }
}
