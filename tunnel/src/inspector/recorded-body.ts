import { valueOf, type RawHeaders } from "../http/index.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import type { BodyInfo } from "./views.ts";

/** A body as data. */
export interface KeptBody {
  readonly kept: Uint8Array;
  readonly bytes: number;
  readonly isWhole: boolean;
}

/** A body that comes in one piece of at most so many bytes is kept as text. */
const maxTextBytes = 4 * 1024;

/**
 * The bytes of a body as they were sent, up to a bound. Most are absent or come in one small piece, and thousands are kept: as buffers they
 * would cost the garbage collector more than everything else of a recording.
 */
export class RecordedBody {
  #maxBytes: number;
  /** All of it, as Latin-1, unless there is a buffer. */
  #text = "";
  #buffer: GrowingBytes | undefined;
  #isWhole = false;
  bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes of memory more are taken now. */
  add(chunk: Uint8Array): number {
    const before = this.capacity;
    this.bytes += chunk.length;
    if (!this.#buffer && this.#text === "" && chunk.length <= Math.min(maxTextBytes, this.#maxBytes))
      this.#text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    else this.#toBuffer().append(chunk);
    return this.capacity - before;
  }

  /** Gives its memory back: nobody looks at it any more, though more of it may come. */
  drop(): void {
    this.#maxBytes = 0;
    this.#text = "";
    this.#buffer = undefined;
  }

  end(): void {
    this.#isWhole = true;
  }

  get keptBytes(): number {
    return this.#buffer?.length ?? this.#text.length;
  }

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.#buffer?.capacity ?? this.#text.length;
  }

  get isComplete(): boolean {
    return this.#isWhole && this.keptBytes === this.bytes;
  }

  get kept(): Buffer {
    return this.#buffer?.bytes ?? Buffer.from(this.#text, "latin1");
  }

  keep(): KeptBody {
    return { kept: this.kept, bytes: this.bytes, isWhole: this.#isWhole };
  }

  /** Takes what another one kept. */
  restore({ kept, bytes, isWhole }: KeptBody): void {
    if (kept.length > 0) this.add(kept);
    this.bytes = bytes;
    this.#isWhole = isWhole;
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

  #toBuffer(): GrowingBytes {
    if (this.#buffer) return this.#buffer;
    const buffer = new GrowingBytes(this.#maxBytes);
    if (this.#text !== "") buffer.append(this.kept);
    this.#text = "";
    this.#buffer = buffer;
    return buffer;
  }

  #state(): BodyInfo["state"] {
    if (this.keptBytes < this.bytes) return "truncated";
    if (!this.#isWhole) return "open";
    return this.bytes === 0 ? "none" : "complete";
  }
}
