import type { Duplex } from "node:stream";
import type { PortholeError } from "@porthole/common/errors";
import {
  answerHeadText,
  chunkStart,
  hasValue,
  lastChunkText,
  type Http1RequestHead,
  type RawHeaders,
} from "../../http/index.ts";
import type { Answer, AnswerHead, VisitorStream } from "./visitor.ts";

/** The connection of an answer. */
export interface AnswerConnection {
  readonly socket: VisitorStream;
  /** The request has come whole, so another one may follow it. */
  isRequestWhole(): boolean;
  /** Ends the connection out of order, once what was written is on its way. */
  breakOff(error: PortholeError): void;
  /** The connection's bytes are those of another protocol from here on. */
  release(): Duplex;
}

const crlf = "\r\n";
/** More of a body does not wait for the end of the turn. */
const maxPendingBytes = 16 * 1024;
const maxCopiedBytes = 4 * 1024;

/** The answer to one request of a visitor that speaks HTTP/1, or what it was upgraded to. */
export class Http1Answer implements Answer {
  readonly #connection: AnswerConnection;
  readonly #socket: VisitorStream;
  readonly #request: Http1RequestHead;
  readonly #wantsToStay: boolean;
  #onTrouble: ((error: PortholeError) => void) | undefined;
  #trouble: PortholeError | undefined;
  #onDrain: (() => void) | undefined;
  #onFlushed: (() => void) | undefined;
  #framing: "none" | "plain" | "chunked" = "none";
  /** A head and what follows it, until the end of the turn. */
  #pending: (string | Buffer)[] | undefined;
  #pendingBytes = 0;
  headSent = false;
  isUpgraded = false;
  isBroken = false;
  /** The connection ends with this answer. */
  isLast = false;

  constructor(connection: AnswerConnection, request: Http1RequestHead) {
    this.#connection = connection;
    this.#socket = connection.socket;
    this.#request = request;
    this.#wantsToStay =
      request.httpVersion === "1.1"
        ? !hasValue(request.headers, "connection", /\bclose\b/i)
        : hasValue(request.headers, "connection", /\bkeep-alive\b/i);
  }

  fail(error: PortholeError): void {
    if (this.#trouble || this.isUpgraded) return;
    this.#trouble = error;
    this.#onTrouble?.(error);
  }

  onTrouble(callback: (error: PortholeError) => void): void {
    this.#onTrouble = callback;
    if (this.#trouble) callback(this.#trouble);
  }

  inform(status: number, statusText: string | undefined, headers: RawHeaders): void {
    if (this.#request.httpVersion === "1.0" || this.headSent) return;
    this.#socket.write(answerHeadText(status, statusText, headers), "latin1");
  }

  start({ status, statusText, headers }: AnswerHead): void {
    this.headSent = true;
    const isSized = hasValue(headers, "content-length");
    const hasNoBody = this.#request.method === "HEAD" || status === 204 || status === 304;
    const isOld = this.#request.httpVersion === "1.0";
    this.#framing = hasNoBody ? "none" : isSized || isOld ? "plain" : "chunked";
    const endsByClose = isOld && !isSized && !hasNoBody;
    const isClosing = hasValue(headers, "connection");
    this.isLast = endsByClose || isClosing || !this.#wantsToStay || !this.#connection.isRequestWhole();
    const fields = [...headers];
    if (this.#framing === "chunked") fields.push("Transfer-Encoding", "chunked");
    if (this.isLast && !isClosing) fields.push("Connection", "close");
    else if (isOld && !this.isLast) fields.push("Connection", "keep-alive");
    this.#pending = [answerHeadText(status, statusText, fields)];
  }

  retract(): boolean {
    if (!this.#pending) return false;
    this.#pending = undefined;
    this.headSent = false;
    return true;
  }

  write(chunk: Buffer): boolean {
    if (this.#framing === "none" || chunk.length === 0) return true;
    if (this.#framing === "plain") return this.#send(chunk.length, chunk);
    return this.#send(chunk.length, chunkStart(chunk.length), chunk, crlf);
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** Called by the connection when the visitor has taken what was written. */
  drained(): void {
    const onFlushed = this.#onFlushed;
    this.#onFlushed = undefined;
    if (onFlushed) onFlushed();
    else this.#onDrain?.();
  }

  end(trailers: RawHeaders, callback: () => void): void {
    if (this.#framing === "chunked") this.#send(0, lastChunkText(trailers));
    this.flush();
    if (this.#socket.writableNeedDrain && !this.#socket.destroyed) this.#onFlushed = callback;
    else callback();
  }

  upgrade({ status, statusText, headers }: AnswerHead): Duplex {
    this.headSent = true;
    this.isUpgraded = true;
    const socket = this.#connection.release();
    const fields = [...headers, "Connection", "Upgrade"];
    socket.write(answerHeadText(status, statusText, fields), "latin1");
    return socket;
  }

  /** Ends the connection without the end of the answer. What was written so far arrives. */
  breakOff(error: PortholeError): void {
    this.isBroken = true;
    this.flush();
    this.#connection.breakOff(error);
  }

  #send(bytes: number, ...pieces: (string | Buffer)[]): boolean {
    if (!this.#pending) return this.#put(pieces);
    const [head] = this.#pending;
    if (typeof head === "string") this.#pending = [joined([head, ...pieces])];
    else this.#pending.push(joined(pieces));
    this.#pendingBytes += bytes;
    if (this.#pendingBytes >= maxPendingBytes) this.flush();
    return !this.#socket.writableNeedDrain;
  }

  flush(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending) this.#put(pending);
  }

  /** As one piece. Small ones are copied into it: that costs less than a list of writes through every layer below. */
  #put(pieces: readonly (string | Buffer)[]): boolean {
    const socket = this.#socket;
    const isTaken = socket.takesAtOnce === true && socket.writableLength === 0;
    if (!isTaken || (pieces.length > 1 && bytesOf(pieces) <= maxCopiedBytes)) socket.write(joined(pieces));
    else {
      if (pieces.length > 1) socket.cork();
      for (const piece of pieces) socket.write(piece, "latin1");
      if (pieces.length > 1) socket.uncork();
    }
    return !socket.writableNeedDrain;
  }
}

function bytesOf(pieces: readonly (string | Buffer)[]): number {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
}

/** A copy. Texts are Latin-1. */
function joined(pieces: readonly (string | Buffer)[]): Buffer {
  const all = Buffer.allocUnsafe(bytesOf(pieces));
  let end = 0;
  for (const piece of pieces) end += typeof piece === "string" ? all.write(piece, end, "latin1") : piece.copy(all, end);
  return all;
}
