import { valueOf, type RawHeaders } from "../http/index.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import type { BodyInfo } from "./types.ts";

/** The bytes of a body as they were sent, up to a bound. */
export class RecordedBody {
  #kept: GrowingBytes;
  #isWhole = false;
  bytes = 0;

  constructor(maxBytes: number) {
    this.#kept = new GrowingBytes(maxBytes);
  }

  /** How many bytes of memory more are taken now. */
  add(chunk: Uint8Array): number {
    const before = this.#kept.capacity;
    this.bytes += chunk.length;
    this.#kept.append(chunk);
    return this.#kept.capacity - before;
  }

  /** Gives its memory back: nobody looks at it any more, though more of it may come. */
  drop(): void {
    this.#kept = new GrowingBytes(0);
  }

  end(): void {
    this.#isWhole = true;
  }

  get keptBytes(): number {
    return this.#kept.length;
  }

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.#kept.capacity;
  }

  get isComplete(): boolean {
    return this.#isWhole && this.keptBytes === this.bytes;
  }

  get kept(): Buffer {
    return this.#kept.bytes;
  }

  info(headers: RawHeaders): BodyInfo {
    return {
      state: this.#state(),
      bytes: this.bytes,
      keptBytes: this.keptBytes,
      contentType: valueOf(headers, "content-type") ?? "",
      contentEncoding: valueOf(headers, "content-encoding") ?? "",
    };
  }

  #state(): BodyInfo["state"] {
    if (this.keptBytes < this.bytes) return "truncated";
    if (!this.#isWhole) return "open";
    return this.bytes === 0 ? "none" : "complete";
  }
}
