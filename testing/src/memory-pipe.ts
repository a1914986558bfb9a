import { Duplex } from "node:stream";

/**
 * Two connected Duplexes with backpressure and half-close. What one writes the other gets in a later turn of the event
 * loop, as over a socket: a fast producer must not starve whatever else the process has to do.
 */
export function memoryPipe(): [Duplex, Duplex] {
  const a = new PipeEnd();
  const b = new PipeEnd();
  a.connect(b);
  b.connect(a);
  return [a, b];
}

class PipeEnd extends Duplex {
  #peer: PipeEnd | undefined;
  /** The writer waits until we read. */
  #onRead: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  connect(peer: PipeEnd): void {
    this.#peer = peer;
  }

  override _read(): void {
    const callback = this.#onRead;
    this.#onRead = undefined;
    callback?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    setImmediate(() => this.#peer?.deliver(chunk, done));
  }

  /** What was written in one turn arrives together. */
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk));
    setImmediate(() => this.#peer?.deliver(bytes, done));
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      if (!this.#peer?.destroyed) this.#peer?.push(null);
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this._read();
    setImmediate(() => this.#peer?.destroy());
    done(error);
  }

  deliver(chunk: Buffer, done: () => void): void {
    if (this.destroyed || this.push(chunk)) done();
    else this.#onRead = done;
  }
}
