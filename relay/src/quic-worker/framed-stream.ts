import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";

const headerBytes = 4;
/** Stands in place of a length for the end of a direction that its writer has aborted. */
const aborted = 0xffff_ffff;

/**
 * A byte stream over a local socket, with an end that can be told from a death: a process that is killed closes its sockets
 * just as one that has said everything. A frame is 4 bytes of length, big-endian, and that many bytes; a frame without bytes
 * is the end of its direction; another kind of end marks an aborted stream. A socket that ends without one is an error. Half-close needs nothing of the socket, so a Windows
 * pipe will do.
 */
export class FramedStream extends Duplex {
  readonly #socket: Socket;
  readonly #header = Buffer.alloc(headerBytes);
  #headerLength = 0;
  /** Bytes left of the present frame. */
  #left = 0;
  #sawEnd = false;
  #abortedByPeer = false;
  #aborted = false;
  #onDrain: ((error?: Error | null) => void) | undefined;

  /** Takes the socket over. `head`: what has been read of it already. */
  constructor(socket: Socket, head?: Buffer) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#takeDrain()?.());
    socket.on("error", (cause) => this.#breakOff(cause));
    socket.on("end", () => this.#onSocketEnd());
    socket.on("close", () => this.#breakOff());
    socket.pause();
    if (head) this.#receive(head);
  }

  get isAborted(): boolean {
    return this.#abortedByPeer;
  }

  /** Ends this direction after what was written, as an aborted one. */
  abort(): void {
    this.#aborted = true;
    this.end();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.cork();
    const room = this.#writeFrame(chunk);
    this.#socket.uncork();
    this.#whenRoom(room, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    let room = true;
    for (const { chunk } of chunks) room = this.#writeFrame(chunk);
    this.#socket.uncork();
    this.#whenRoom(room, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const header = Buffer.alloc(headerBytes);
    if (this.#aborted) header.writeUInt32BE(aborted);
    this.#socket.write(header, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#takeDrain()?.(error);
    this.#socket.destroy();
    done(error);
  }

  #writeFrame(chunk: Buffer): boolean {
    if (chunk.length === 0) return !this.#socket.writableNeedDrain;
    const header = Buffer.allocUnsafe(headerBytes);
    header.writeUInt32BE(chunk.length, 0);
    this.#socket.write(header);
    return this.#socket.write(chunk);
  }

  #whenRoom(room: boolean, done: (error?: Error | null) => void): void {
    if (room) done();
    else this.#onDrain = done;
  }

  #receive(chunk: Buffer): void {
    let room = true;
    for (let offset = 0; offset < chunk.length && !this.#sawEnd && !this.destroyed;) {
      if (this.#left > 0) {
        const piece = chunk.subarray(offset, offset + this.#left);
        offset += piece.length;
        this.#left -= piece.length;
        room = this.push(piece);
      } else {
        const part = chunk.subarray(offset, offset + headerBytes - this.#headerLength);
        this.#header.set(part, this.#headerLength);
        this.#headerLength += part.length;
        offset += part.length;
        if (this.#headerLength === headerBytes) this.#begin(this.#header.readUInt32BE(0));
      }
    }
    if (!room) this.#socket.pause();
  }

  #begin(length: number): void {
    this.#headerLength = 0;
    this.#abortedByPeer = length === aborted;
    this.#left = this.#abortedByPeer ? 0 : length;
    if (this.#left > 0) return;
    this.#sawEnd = true;
    this.push(null);
  }

  #onSocketEnd(): void {
    // Who has read our end leaves, and may do so in the same turn in which the kernel tells us that it was taken.
    if (this.#sawEnd) setImmediate(() => this.#breakOff());
    else this.#breakOff();
  }

  /** Both directions had their end mark, or else this is an accident. */
  #breakOff(cause?: Error): void {
    if (this.#sawEnd && this.writableFinished) return;
    this.destroy(new PortholeError("closed", "The connection with the other process broke off", { cause }));
  }

  #takeDrain(): ((error?: Error | null) => void) | undefined {
    const callback = this.#onDrain;
    this.#onDrain = undefined;
    return callback;
  }
}
