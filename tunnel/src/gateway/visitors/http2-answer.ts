import http2, { type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { toHttp2, type Body, type Http2Fields, type RawHeaders } from "../../http/index.ts";
import type { Unread } from "../unread-answers.ts";
import type { Answer, AnswerHead, AnswerRest, VisitorRequest } from "./visitor.ts";

/** More of a body does not wait for the end of the turn. */
const maxPendingBytes = 16 * 1024;
/** As much waits for a visitor before its service is held up. Node's own bound is larger, and a hundred answers may wait on a connection. */
const fullBytes = 8 * 1024;

const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;

/** The answer on one stream of HTTP/2. A head waits for the end of the turn: an answer that is whole by then needs no frame of its own for its end. */
export class Http2Answer implements Answer, Unread {
  readonly #stream: ServerHttp2Stream;
  readonly #isForHead: boolean;
  readonly #body: Body | undefined;
  /** What `start` was called with, and what follows it, until the end of the turn. */
  #head: AnswerHead | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #isBroken = false;
  #writtenBytes = 0;
  #onDrain: (() => void) | undefined;
  #onTrouble: ((error: PortholeError) => void) | undefined;
  #rest: AnswerRest = "nothing";
  #trailers: RawHeaders = [];
  /** Once they are on their way; undefined where none may follow. */
  #afterTrailers: (() => void) | undefined;
  headSent = false;

  constructor(stream: ServerHttp2Stream, { method, body }: Pick<VisitorRequest, "method" | "body">) {
    this.#stream = stream;
    this.#isForHead = method === "HEAD";
    this.#body = body;
  }

  get unreadBytes(): number {
    return this.#stream.destroyed ? 0 : this.#stream.writableLength + this.#pendingBytes;
  }

  get takenBytes(): number {
    return this.#writtenBytes - this.unreadBytes;
  }

  giveUp(error: PortholeError): void {
    this.#onTrouble?.(error);
    // Also one that had only its end to wait for.
    if (!this.#stream.closed) this.#stream.close(NGHTTP2_ENHANCE_YOUR_CALM);
    this.#stream.destroy();
  }

  onTrouble(callback: (error: PortholeError) => void): void {
    this.#onTrouble = callback;
    this.#stream.on("close", () => {
      const isOver = this.#stream.writableFinished && this.#stream.rstCode === NGHTTP2_NO_ERROR;
      if (!isOver) callback(new PortholeError("aborted", "The visitor left"));
    });
  }

  inform(status: number, _statusText: string | undefined, headers: RawHeaders): void {
    if (this.#stream.destroyed || this.headSent || status === 101) return;
    // Clients take a length in it for an error of the whole stream.
    this.#stream.additionalHeaders({ ...without(headers, "content-length"), ":status": status });
  }

  start(head: AnswerHead, rest: AnswerRest): void {
    this.headSent = true;
    this.#head = head;
    // A 205 has no body (RFC 9110 section 15.3.6), and Node sends none.
    this.#rest = this.#isForHead || head.status === 205 ? "nothing" : rest;
  }

  flush(): void {
    this.#respond(false);
  }

  retract(): boolean {
    if (!this.#head) return false;
    this.#head = undefined;
    this.#pending = [];
    this.headSent = false;
    return true;
  }

  write(chunk: Buffer): boolean {
    if (this.#rest === "nothing" || this.#stream.destroyed) return true;
    this.#writtenBytes += chunk.length;
    const own = Buffer.from(chunk);
    if (!this.#head) return this.#put(own);
    this.#pending.push(own);
    this.#pendingBytes += chunk.length;
    if (this.#pendingBytes >= maxPendingBytes) this.#respond(false);
    return this.#stream.writableLength + this.#pendingBytes < fullBytes;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** False when the visitor is behind: the last chunk's callback tells when it no longer is. */
  #put(chunk: Buffer): boolean {
    if (this.#stream.writableLength + chunk.length < fullBytes) return this.#stream.write(chunk);
    this.#stream.write(chunk, this.#onTaken);
    return false;
  }

  readonly #onTaken = (): void => {
    if (this.#stream.writableLength < fullBytes) this.#onDrain?.();
  };

  end(trailers: RawHeaders, callback: () => void): void {
    const stream = this.#stream;
    this.#trailers = trailers;
    this.#respond(true);
    if (stream.closed || stream.destroyed) return callback();
    let isCalled = false;
    const done = (): void => {
      if (isCalled) return;
      isCalled = true;
      // Nobody reads the rest of the request (RFC 9113 8.1).
      if (this.#body?.isWhole === false && !stream.destroyed) stream.close(NGHTTP2_NO_ERROR);
      callback();
    };
    if (this.#afterTrailers) this.#afterTrailers = done;
    else if (stream.writableFinished) return done();
    else stream.once("finish", done);
    stream.once("close", done);
    stream.end();
  }

  upgrade({ headers }: AnswerHead): Duplex {
    this.headSent = true;
    const { "sec-websocket-accept": _accept, ...fields } = toHttp2(headers);
    this.#stream.respond({ ...fields, ":status": 200 });
    return this.#stream;
  }

  breakOff(error?: PortholeError): void {
    this.#isBroken = true;
    const code = error?.code === "limit" ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_INTERNAL_ERROR;
    if (!this.#stream.destroyed) this.#stream.close(code);
  }

  /** Sends the head unless it is sent. `isWhole`: nothing but trailers can follow. */
  #respond(isWhole: boolean): void {
    const head = this.#head;
    const stream = this.#stream;
    this.#head = undefined;
    if (!head || stream.destroyed) return;
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    const hasRest = this.#rest !== "nothing";
    // A stream that waits for trailers does not end by itself: one that breaks off must not look complete.
    const waitForTrailers = hasRest && !(isWhole && this.#trailers.length === 0);
    const endStream = !hasRest || (isWhole && !waitForTrailers && pending.length === 0);
    try {
      // It may not stand in a 204 (RFC 9110 section 8.6), and in a 304 some clients wait for the body that it announces.
      const fields = bodiless.has(head.status) ? without(head.headers, "content-length") : toHttp2(head.headers);
      stream.respond({ ...fields, ":status": head.status }, { endStream, waitForTrailers });
    } catch {
      // Node sends nothing that it takes for no answer of HTTP/2.
      return this.breakOff();
    }
    for (const chunk of pending) if (!endStream) this.#put(chunk);
    if (!waitForTrailers) return;
    this.#afterTrailers = () => {};
    stream.on("wantTrailers", () => {
      if (this.#isBroken) return;
      // A length may not stand among them (RFC 9110 section 6.5.1), and clients end the stream for it.
      stream.sendTrailers(without(this.#trailers, "content-length"));
      // Now they are only in nghttp2's queue, which a reset would pass.
      setImmediate(() => this.#afterTrailers?.());
    });
  }
}

function without(headers: RawHeaders, name: string): Http2Fields {
  const { [name]: _left, ...fields } = toHttp2(headers);
  return fields;
}
