import net from "node:net";

/** Events of a connection to a service. None follows `onClose`. */
export interface SocketEvents {
  /** The chunk's memory is read into again after the call: who keeps it copies it. */
  onData(chunk: Buffer): void;
  /** The service has ended its direction in order. */
  onEnd(): void;
  onDrain(): void;
  /** The service takes nothing more; an answer may still come. */
  onWriteFailure(): void;
  onClose(failure: Error | undefined): void;
}

/** Receives one read. All sockets share it: bytes that wait for their visitor are copied at their exact size. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** The same until the visitor has taken something. */
const firstScratch = scratch.subarray(0, 16 * 1024);

/**
 * A connection to a local service that distinguishes a reset from an end. Up to Node 22 libuv reports an end where data and a reset arrive together: the
 * peer has no address any more then, and half an answer would look complete.
 */
export class ResettableSocket extends net.Socket {
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null || !this.#wasReset) return super.push(chunk, encoding);
    this.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" }));
    return false;
  }

  /** A Unix socket has no address at all, and a connection that both sides have ended loses it, too. */
  get #wasReset(): boolean {
    return !this.writableEnded && this.remoteAddress === undefined && this.localAddress !== undefined;
  }
}

/**
 * A TCP connection to a local service. A server may refuse an upload without reading it: it answers and closes, and the answer lies in the
 * kernel while our next write fails. Node destroys the socket then and loses the answer (nodejs/node#54366, #38467). This one only stops
 * writing, and reads on to the end. It reads past the stream: `data` and `pipe` see nothing.
 */
export class ServiceSocket extends ResettableSocket {
  readonly #events: SocketEvents;
  #hasEnded = false;
  #hasWriteFailed = false;
  /** Whether what was read so far has been taken: more is read at once then. */
  isTaken = false;

  constructor(events: SocketEvents) {
    // The types know `onread` elsewhere only.
    const options: net.SocketConstructorOpts & Pick<net.TcpSocketConnectOpts, "onread"> = {
      allowHalfOpen: true,
      onread: {
        buffer: () => (this.isTaken ? scratch : firstScratch),
        callback: (bytes) => {
          events.onData(scratch.subarray(0, bytes));
          return true;
        },
      },
    };
    super(options);
    this.#events = events;
    listen(this, events);
  }

  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    const mayGoOn = super.push(chunk, encoding);
    if (chunk === null && !this.#hasEnded && !this.destroyed) {
      this.#hasEnded = true;
      this.#events.onEnd();
    }
    return mayGoOn;
  }

  override destroy(error?: Error): this {
    const { syscall } = (error ?? {}) as NodeJS.ErrnoException;
    if (syscall !== "write" || this.#hasEnded || this.#hasWriteFailed) return super.destroy(error);
    this.#hasWriteFailed = true;
    this.#events.onWriteFailure();
    return this;
  }
}

/** Reports of a socket that reads as usual: one with TLS, or one that may become a WebSocket. Returns what ends the reports. */
export function listenTo(socket: net.Socket, events: SocketEvents): () => void {
  const onData = (chunk: Buffer): void => events.onData(chunk);
  const onEnd = (): void => events.onEnd();
  socket.on("data", onData).on("end", onEnd);
  const stop = listen(socket, events);
  return () => {
    socket.off("data", onData).off("end", onEnd);
    stop();
  };
}

function listen(socket: net.Socket, events: SocketEvents): () => void {
  let failure: Error | undefined;
  const onError = (error: Error): void => void (failure = error);
  const onDrain = (): void => events.onDrain();
  const onClose = (): void => events.onClose(failure);
  socket.on("error", onError).on("drain", onDrain).on("close", onClose);
  // The listener for errors stays: one that nobody listens to would end the process.
  return () => void socket.off("drain", onDrain).off("close", onClose);
}
