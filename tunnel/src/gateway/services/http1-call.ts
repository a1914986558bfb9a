import type { Socket } from "node:net";
import { chunkStart, lastChunkText, requestHeadText, type ForwardedHead, type RawHeaders } from "../../http/index.ts";
import type { CallFailure, Reply, SendInit, UpstreamCall } from "./upstream.ts";

/** The connection of a call. */
export interface CallConnection {
  /** Ends the call: whatever still comes belongs to nobody. */
  abort(): void;
  /** The request has gone out whole. */
  onRequestSent(): void;
}

/** One request on a connection of HTTP/1.1: its head and body go out as one piece where they are there together. */
export class Http1Call implements UpstreamCall {
  readonly isReused: boolean;
  readonly isForHead: boolean;
  readonly isUpgrade: boolean;
  readonly #init: SendInit;
  readonly #onSettled: () => void;
  #head: string;
  #connection: CallConnection | undefined;
  #socket: Socket | undefined;
  #held: Buffer[] = [];
  #trailers: RawHeaders | undefined;
  #onDrain: (() => void) | undefined;
  #isCorked = false;
  #isSettled = false;
  #isDeaf = false;

  /** `onSettled` is called once, when the service owes no answer any more. */
  constructor(head: ForwardedHead, init: SendInit, isReused: boolean, onSettled: () => void) {
    const { method, target, headers } = head;
    this.#init = init;
    this.isReused = isReused;
    this.isForHead = method === "HEAD";
    this.isUpgrade = init.upgrade !== undefined;
    this.#onSettled = onSettled;
    const more =
      init.upgrade !== undefined
        ? ["Connection", "Upgrade", "Upgrade", init.upgrade]
        : init.body === "chunked"
          ? ["Transfer-Encoding", "chunked"]
          : undefined;
    this.#head = requestHeadText(method, target, more ? [...headers, ...more] : headers);
  }

  // From the connection.

  /** The connection is there; undefined socket: it will be. */
  attach(connection: CallConnection, socket: Socket | undefined): void {
    this.#connection = connection;
    if (!socket) return;
    this.#socket = socket;
    // A body's first bytes leave together with the head.
    if (this.#init.body !== "none") this.#cork();
    socket.write(this.#head, "latin1");
    this.#head = "";
    for (const chunk of this.#held.splice(0)) this.#send(chunk);
    if (this.#trailers) this.#finish(this.#trailers);
    else if (!socket.writableNeedDrain) this.#onDrain?.();
  }

  drained(): void {
    this.#onDrain?.();
  }

  /** The service takes nothing more: the rest of the upload is dropped, and its answer awaited. */
  stopWriting(): void {
    this.#isDeaf = true;
    this.#held = [];
    this.#onDrain?.();
  }

  inform(status: number, statusText: string, headers: RawHeaders): void {
    if (this.#connection) this.#init.onInform(status, statusText, headers);
  }

  reply(reply: Reply): void {
    if (!this.#settle()) return;
    this.#init.onReply(reply);
  }

  fail(failure: Omit<CallFailure, "wasReused">): void {
    if (!this.#settle()) return;
    this.#connection = undefined;
    this.#init.onFailure({ ...failure, wasReused: this.isReused });
  }

  /** The answer is whole: the connection is no longer this call's. */
  release(): void {
    this.#uncork();
    this.#connection = undefined;
    this.#socket = undefined;
    this.#isDeaf = true;
  }

  // From its user.

  write(chunk: Buffer): boolean {
    if (this.#isDeaf) return true;
    if (this.#socket) return this.#send(chunk);
    this.#held.push(chunk);
    return false;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  end(trailers: RawHeaders): void {
    if (this.#socket) this.#finish(trailers);
    else this.#trailers = trailers;
  }

  abort(): void {
    const connection = this.#connection;
    if (!connection) return;
    this.#settle();
    this.release();
    connection.abort();
  }

  #send(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (!socket || this.#isDeaf || chunk.length === 0) return true;
    // A visitor's bytes come in TLS records; those of one turn leave in one write.
    this.#cork();
    if (this.#init.body !== "chunked") return socket.write(chunk);
    socket.write(chunkStart(chunk.length), "latin1");
    socket.write(chunk);
    return socket.write("\r\n", "latin1");
  }

  #finish(trailers: RawHeaders): void {
    if (this.#init.body === "chunked" && !this.#isDeaf) this.#socket?.write(lastChunkText(trailers), "latin1");
    this.#uncork();
    this.#connection?.onRequestSent();
  }

  /** Until the end of this turn. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket?.cork();
    process.nextTick(() => this.#uncork());
  }

  #uncork(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#socket?.uncork();
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#onSettled();
    return true;
  }
}
