import { parseAnswerHead, type Http1AnswerHead } from "./answer-head.ts";
import { ChunkedReader } from "./chunked-reader.ts";
import type { RawHeaders } from "./exchange.ts";
import { HeadCollector } from "./head-collector.ts";

/** Why an answer can't be passed on. */
export type AnswerFault =
  | { readonly kind: "not-http"; readonly said: Buffer }
  | { readonly kind: "head-too-large" }
  | { readonly kind: "broken-chunks" }
  /** The connection ended before the answer did. */
  | { readonly kind: "cut-short"; readonly hasHead: boolean };

export interface AnswerEvents {
  /** An informational answer: the real one follows. */
  onInform(head: Http1AnswerHead): void;
  onHead(head: Http1AnswerHead): void;
  /** Bytes of the body without their framing, by reference: valid during the call, as the chunk that was pushed is. */
  onData(payload: Buffer): void;
  onEnd(trailers: RawHeaders): void;
  /** Called once, and nothing after it. */
  onFault(fault: AnswerFault): void;
}

type State = "idle" | "head" | "sized" | "chunked" | "until-close" | "over";

/** Reads the answers of one HTTP/1 connection as browsers and curl read them. Bytes in, events out: it knows no socket. */
export class AnswerReader {
  readonly #events: AnswerEvents;
  readonly #head: HeadCollector;
  #state: State = "idle";
  #isForHead = false;
  #left = 0;
  #chunks: ChunkedReader | undefined;
  #rest: Buffer | undefined;

  constructor(maxHeadBytes: number, events: AnswerEvents) {
    this.#events = events;
    this.#head = new HeadCollector(maxHeadBytes, false);
  }

  /** A request is being sent; `isForHead`: its answer has no body, whatever its head says. */
  expect(isForHead: boolean): void {
    this.#isForHead = isForHead;
    this.#state = "head";
  }

  /** Returns false when nothing had been asked for, or more came than the answer has: the connection is of no use any more. */
  push(chunk: Buffer): boolean {
    let index = 0;
    while (index < chunk.length) {
      switch (this.#state) {
        case "idle":
        case "over":
          this.#rest = chunk.subarray(index);
          return false;
        case "head": {
          const end = this.#readHead(chunk, index);
          if (end === undefined) return true;
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
          if (end === undefined) return true;
          index = end;
          break;
        }
        case "until-close":
          this.#events.onData(index === 0 ? chunk : chunk.subarray(index));
          return true;
      }
    }
    return true;
  }

  /** The connection has ended; `isOrderly` is false for a reset. */
  end(isOrderly: boolean): void {
    if (this.#state === "idle" || this.#state === "over") return;
    if (this.#state === "until-close" && isOrderly) return this.#end([]);
    this.#fault({ kind: "cut-short", hasHead: this.#state !== "head" });
  }

  /** No more is read. Returns what came after an answer, in the call of `onHead` as well: it belongs to another protocol. */
  stop(): Buffer | undefined {
    this.#state = "over";
    return this.#rest;
  }

  #readHead(chunk: Buffer, from: number): number | undefined {
    let start = from;
    if (this.#head.isEmpty) {
      while (chunk[start] === 13 || chunk[start] === 10) start++;
      if (start === chunk.length) return undefined;
    }
    const end = this.#head.take(chunk, start);
    if (end === undefined) {
      // Nobody waits for the end of a line where no answer has begun.
      return cannotBeHttp(this.#head.beginning)
        ? this.#fault({ kind: "not-http", said: this.#head.beginning })
        : undefined;
    }
    if (typeof end === "string") return this.#fault({ kind: "head-too-large" });
    const head = parseAnswerHead(this.#head.text, this.#isForHead);
    if (!head) return this.#fault({ kind: "not-http", said: Buffer.from(this.#head.text, "latin1") });
    if (head.status < 200 && head.status !== 101) {
      this.#events.onInform(head);
      return end;
    }
    this.#rest = end < chunk.length ? chunk.subarray(end) : undefined;
    const { framing } = head;
    if (framing.kind === "sized") this.#left = framing.bytes;
    if (framing.kind === "chunked") this.#chunks = new ChunkedReader(false);
    if (framing.kind !== "none") this.#state = framing.kind;
    this.#events.onHead(head);
    if (framing.kind === "none") this.#end([]);
    return end;
  }

  #readChunks(chunk: Buffer, start: number): number | undefined {
    const chunks = this.#chunks;
    if (!chunks) return undefined;
    const end = chunks.read(chunk, start, this.#onPayload);
    if (typeof end === "string") return this.#fault({ kind: "broken-chunks" });
    if (chunks.isWhole) this.#end(chunks.trailers);
    return end;
  }

  readonly #onPayload = (payload: Buffer): void => this.#events.onData(payload);

  #end(trailers: RawHeaders): void {
    if (this.#state === "over" || this.#state === "idle") return;
    this.#state = "idle";
    this.#chunks = undefined;
    this.#events.onEnd(trailers);
  }

  #fault(fault: AnswerFault): undefined {
    if (this.#state === "over") return undefined;
    this.#state = "over";
    this.#chunks = undefined;
    this.#events.onFault(fault);
    return undefined;
  }
}

/** Whether bytes are the beginning of anything but a status line. */
function cannotBeHttp(bytes: Buffer): boolean {
  const text = bytes.toString("latin1", 0, 5).toUpperCase();
  return !"HTTP/".startsWith(text) && !"ICY ".startsWith(text.slice(0, 4));
}
