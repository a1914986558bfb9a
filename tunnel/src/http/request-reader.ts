import { ChunkedReader } from "./chunked-reader.ts";
import type { RawHeaders } from "./exchange.ts";
import { HeadCollector } from "./head-collector.ts";
import { faultOfBeginning, parseRequestHead, type Http1RequestHead, type RequestFault } from "./request-head.ts";

export interface RequestEvents {
  onHead(head: Http1RequestHead): void;
  /** Bytes of the body without their framing, by reference. */
  onData(payload: Buffer): void;
  /** The request is whole. What comes after it is held until `next` is called. */
  onRequestEnd(trailers: RawHeaders): void;
  /** Nothing that comes after it can be read. Called once. */
  onFault(status: RequestFault): void;
}

/** How far a line must look like a request to be waited for. */
const plausibleBytes = 64;

type State = "head" | "sized" | "chunked" | "whole" | "over";

/** Reads the requests of one HTTP/1 connection, one at a time, as strictly as RFC 9112 allows. Bytes in, events out: it knows no socket. */
export class RequestReader {
  readonly #events: RequestEvents;
  #state: State = "head";
  readonly #head: HeadCollector;
  #left = 0;
  #chunks: ChunkedReader | undefined;
  #held: Buffer | undefined;
  #isPlausible = false;

  constructor(maxHeadBytes: number, events: RequestEvents) {
    this.#events = events;
    this.#head = new HeadCollector(maxHeadBytes, true);
  }

  /** Bytes of requests that are not read yet, because the one before them is not answered. */
  get heldBytes(): number {
    return this.#held?.length ?? 0;
  }

  /** Some bytes of a head have come, but not all. */
  get isInHead(): boolean {
    return this.#state === "head" && !this.#head.isEmpty;
  }

  push(chunk: Buffer): void {
    if (this.#state === "over") return;
    if (this.#state === "whole") {
      this.#held = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
      return;
    }
    this.#read(chunk);
  }

  /** The request is answered: reads the one after it. */
  next(): void {
    if (this.#state !== "whole") return;
    this.#state = "head";
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#read(held);
  }

  /** No more is read. Returns what has been held: it belongs to another protocol. */
  stop(): Buffer | undefined {
    this.#state = "over";
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  #read(chunk: Buffer): void {
    let index = 0;
    while (index < chunk.length) {
      switch (this.#state) {
        case "head": {
          const end = this.#readHead(chunk, index);
          if (end === undefined) return;
          index = end;
          break;
        }
        case "sized": {
          const end = Math.min(chunk.length, index + this.#left);
          this.#left -= end - index;
          this.#events.onData(index === 0 && end === chunk.length ? chunk : chunk.subarray(index, end));
          index = end;
          if (this.#left === 0) this.#end([]);
          break;
        }
        case "chunked": {
          const end = this.#readChunks(chunk, index);
          if (end === undefined) return;
          index = end;
          break;
        }
        case "whole":
          this.#held = index === 0 ? chunk : chunk.subarray(index);
          return;
        case "over":
          return;
      }
    }
  }

  #readHead(chunk: Buffer, from: number): number | undefined {
    let start = from;
    if (this.#head.isEmpty) {
      // Empty lines before a request (RFC 9112 section 2.2).
      while (chunk[start] === 13 || chunk[start] === 10) start++;
      if (start === chunk.length) return undefined;
    }
    const end = this.#head.take(chunk, start);
    if (end === undefined) return this.#checkBeginning();
    this.#isPlausible = false;
    if (typeof end === "string") return this.#fault(end === "too-large" ? 431 : 400);
    const head = parseRequestHead(this.#head.text);
    if (typeof head === "number") return this.#fault(head);
    const { framing } = head;
    this.#state = framing.kind === "sized" || framing.kind === "chunked" ? framing.kind : "whole";
    if (framing.kind === "sized") this.#left = framing.bytes;
    if (framing.kind === "chunked") this.#chunks = new ChunkedReader(true);
    this.#events.onHead(head);
    if (framing.kind === "none" && this.#isReading()) this.#events.onRequestEnd([]);
    return end;
  }

  /** Refuses bytes at once that can't become a request, because the end of the head may never come. */
  #checkBeginning(): undefined {
    if (this.#isPlausible) return undefined;
    const line = this.#head.firstLine;
    const fault = faultOfBeginning(line);
    this.#isPlausible = line.length >= plausibleBytes || line.endsWith("\n");
    return fault === undefined ? undefined : this.#fault(fault);
  }

  /** The listener may have stopped it. */
  #isReading(): boolean {
    return this.#state !== "over";
  }

  #readChunks(chunk: Buffer, start: number): number | undefined {
    const chunks = this.#chunks;
    if (!chunks) return undefined;
    const end = chunks.read(chunk, start, this.#onPayload);
    if (typeof end === "string") return this.#fault(end === "too-large" ? 413 : 400);
    if (chunks.isWhole) this.#end(chunks.trailers);
    return end;
  }

  readonly #onPayload = (payload: Buffer): void => this.#events.onData(payload);

  #end(trailers: RawHeaders): void {
    if (this.#state === "over") return;
    this.#state = "whole";
    this.#chunks = undefined;
    this.#events.onRequestEnd(trailers);
  }

  #fault(status: RequestFault): undefined {
    this.#state = "over";
    this.#held = undefined;
    this.#events.onFault(status);
    return undefined;
  }
}
