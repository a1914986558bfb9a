import { readFieldLines, readLenientFieldLines } from "./field-lines.ts";
import { HeadCollector } from "./head-collector.ts";
import type { RawHeaders } from "./exchange.ts";

/** A chunk's size with its extensions, which nobody uses. llhttp has the same bound. */
const maxSizeLineBytes = 16 * 1024;
const maxTrailerBytes = 32 * 1024;

export type ChunkedFault = "broken" | "too-large";

/** Reads a chunked body (RFC 9112 section 7.1). Knows no socket: bytes in, payload out. */
export class ChunkedReader {
  readonly #isStrict: boolean;
  #state: "size" | "data" | "after" | "trailers" | "whole" = "size";
  #left = 0;
  #line = "";
  #trailerLines: HeadCollector | undefined;
  trailers: RawHeaders = [];

  /** A strict reader takes CRLF only; the other one also takes what browsers do: bare line feeds and blanks around a size. */
  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  get isWhole(): boolean {
    return this.#state === "whole";
  }

  /** Reads `chunk` from `start`, and hands payload over by reference. Returns the index after what it has used. */
  read(chunk: Buffer, start: number, onData: (payload: Buffer) => void): number | ChunkedFault {
    let index = start;
    while (index < chunk.length && this.#state !== "whole") {
      if (this.#state === "data") {
        const end = Math.min(chunk.length, index + this.#left);
        onData(index === 0 && end === chunk.length ? chunk : chunk.subarray(index, end));
        this.#left -= end - index;
        index = end;
        if (this.#left === 0) this.#state = "after";
        continue;
      }
      const next = this.#state === "trailers" ? this.#readTrailers(chunk, index) : this.#readLine(chunk, index);
      if (typeof next === "string") return next;
      index = next;
    }
    return index;
  }

  /** A size, or the end of the line after a chunk's data. */
  #readLine(chunk: Buffer, start: number): number | ChunkedFault {
    const feed = chunk.indexOf(10, start);
    const end = feed < 0 ? chunk.length : feed + 1;
    const line = this.#line + chunk.toString("latin1", start, end);
    // Whatever follows a chunk's data before the end of the line is too much of it.
    if (this.#state === "after" && line !== "\r" && line !== "\r\n" && (this.#isStrict || line !== "\n"))
      return "broken";
    if (line.length > maxSizeLineBytes) return "too-large";
    this.#line = feed < 0 ? line : "";
    if (feed < 0) return this.#isHopeless(line) ? "broken" : end;
    if (this.#state === "after") {
      this.#state = "size";
      return end;
    }
    const match = (this.#isStrict ? strictSize : lenientSize).exec(line);
    if (!match) return "broken";
    this.#left = parseInt(match[1] ?? "", 16);
    this.#state = this.#left === 0 ? "trailers" : "data";
    return end;
  }

  /** Broken sizes are refused at once: a visitor may never send the end of the line. */
  #isHopeless(line: string): boolean {
    return this.#isStrict && this.#state === "size" && line.length < 64 && !/^[0-9a-f]{0,28}(?:$|[;\r\t ])/i.test(line);
  }

  #readTrailers(chunk: Buffer, start: number): number | ChunkedFault {
    this.#trailerLines ??= new HeadCollector(maxTrailerBytes, this.#isStrict);
    const end = this.#trailerLines.take(chunk, start);
    if (end === undefined) return chunk.length;
    if (typeof end === "string") return end === "too-large" ? end : "broken";
    const { text } = this.#trailerLines;
    const trailers = this.#isStrict ? readFieldLines(text, 0) : readLenientFieldLines(text, 0);
    if (typeof trailers === "number") return "broken";
    this.trailers = trailers;
    this.#state = "whole";
    return end;
  }
}

// Twelve digits are 256 TiB; more could not be counted exactly. curl takes an extension behind a blank, too.
const strictSize = /^0{0,16}([0-9a-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?\r\n$/i;
const lenientSize = /^[\t ]*0*([0-9a-f]{1,12})(?:[\t ;][^\n]*)?\r?\n$/i;
