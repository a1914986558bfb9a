import type { RawHeaders } from "../exchange.ts";
import { valueOf } from "../raw-headers.ts";
import type { BodyInfo } from "./types.ts";

/** The bytes of a body as they were sent, up to a bound. */
export class RecordedBody {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #isWhole = false;
  bytes = 0;
  keptBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes more are kept now. */
  add(chunk: Uint8Array): number {
    this.bytes += chunk.length;
    const kept = Math.min(chunk.length, this.#maxBytes - this.keptBytes);
    if (kept <= 0) return 0;
    // The chunk is lent, and a part of it would keep all of it.
    this.#chunks.push(Buffer.from(chunk.subarray(0, kept)));
    this.keptBytes += kept;
    return kept;
  }

  end(): void {
    this.#isWhole = true;
  }

  get isComplete(): boolean {
    return this.#isWhole && this.keptBytes === this.bytes;
  }

  get kept(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
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
