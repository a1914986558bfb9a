import { Transform, type Readable, type TransformCallback, type Writable } from "node:stream";
import { AbstractMessageWriter, Message, StreamMessageReader, type MessageWriter } from "vscode-jsonrpc/node";
import { PortholeError } from "@porthole/common/errors";

/** Far above any header of ours; what is longer is not a header. */
const maxHeaderBytes = 4 * 1024;
const headerEnd = "\r\n\r\n";
const lengthLine = /^content-length:[ \t]*(\d{1,15})[ \t]*\r?$/im;
/** Messages that have come in and were not handled. The library handles one in each turn of the event loop. */
const maxUnhandled = 100;

/**
 * Reads JSON-RPC messages, each behind a `Content-Length` header (Language Server Protocol 3.17, base protocol). Anything else is an
 * error of the reader, and nothing is read after it. Memory stays below three messages of the largest size, because each has to be
 * reported as handled before many more are read.
 */
export class GuardedReader extends StreamMessageReader {
  readonly #guard: SizeGuard;

  constructor(input: Readable, maxMessageBytes: number) {
    const guard = new SizeGuard(maxMessageBytes);
    super(guard, {
      contentTypeDecoder: {
        name: "application/json",
        decode: parseMessage,
      },
    });
    this.#guard = guard;
    // The library's timer would outlive a message that never comes to its end.
    this.partialMessageTimeout = 0;
    input.pipe(guard);
    input.once("error", () => guard.end());
    input.once("close", () => guard.end());
  }

  /** Whole messages that were received and not handled. */
  get unhandled(): number {
    return this.#guard.unhandled.length;
  }

  noteHandled(): void {
    this.#guard.noteHandled();
  }

  pause(): void {
    this.#guard.pause();
  }

  resume(): void {
    this.#guard.resume();
  }

  override fireError(error: unknown): void {
    super.fireError(error);
    this.#guard.destroy();
  }

  /** The input stays its owner's. */
  override dispose(): void {
    super.dispose();
    this.#guard.destroy();
  }
}

/** Passes messages on as they are. Ends with an error at a header that is none, and at the header of a message that is too large. */
class SizeGuard extends Transform {
  readonly #maxMessageBytes: number;
  /** What has come of the header that is awaited. */
  #header = "";
  /** Bytes of the body that are awaited. */
  #bodyLeft = 0;
  #bodyLength = 0;
  #more: TransformCallback | undefined;
  /** Sizes of the messages, in order. */
  readonly unhandled: number[] = [];
  #unhandledBytes = 0;

  constructor(maxMessageBytes: number) {
    super();
    this.#maxMessageBytes = maxMessageBytes;
  }

  noteHandled(): void {
    this.#unhandledBytes -= this.unhandled.shift() ?? 0;
    if (this.#isFull) return;
    const more = this.#more;
    this.#more = undefined;
    more?.();
  }

  get #isFull(): boolean {
    return this.unhandled.length > maxUnhandled || this.#unhandledBytes > this.#maxMessageBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      for (let at = 0; at < chunk.length;)
        at += this.#bodyLeft > 0 ? this.#passBody(chunk, at) : this.#passHeader(chunk, at);
    } catch (reason) {
      return done(PortholeError.from(reason));
    }
    this.push(chunk);
    if (this.#isFull) this.#more = done;
    else done();
  }

  #passBody(chunk: Buffer, at: number): number {
    const passed = Math.min(this.#bodyLeft, chunk.length - at);
    this.#bodyLeft -= passed;
    if (this.#bodyLeft > 0) return passed;
    this.unhandled.push(this.#bodyLength);
    this.#unhandledBytes += this.#bodyLength;
    return passed;
  }

  #passHeader(chunk: Buffer, at: number): number {
    const before = this.#header.length;
    const header = this.#header + chunk.toString("latin1", at, at + maxHeaderBytes);
    const end = header.indexOf(headerEnd);
    if (end < 0) {
      if (header.length >= maxHeaderBytes) throw notMessage("no Content-Length header");
      this.#header = header;
      return header.length - before;
    }
    const length = lengthLine.exec(header.slice(0, end + 2))?.[1];
    if (length === undefined) throw notMessage("no Content-Length header");
    const bytes = Number(length);
    if (bytes > this.#maxMessageBytes) throw notMessage(`${bytes} bytes, more than ${this.#maxMessageBytes}`);
    if (bytes === 0) throw notMessage("an empty body");
    this.#header = "";
    this.#bodyLength = bytes;
    this.#bodyLeft = bytes;
    return end + headerEnd.length - before;
  }
}

async function parseMessage(body: Uint8Array): Promise<Message> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    // The parser's message quotes the text, which may hold a key.
    throw notMessage("not JSON");
  }
  if (Array.isArray(value)) throw notMessage("a batch, which is not supported");
  if (!isMessage(value)) throw notMessage("no JSON-RPC 2.0 object");
  return value;
}

function isMessage(value: unknown): value is Message {
  const message = value as (Message & { readonly method?: unknown; readonly params?: unknown }) | null;
  if (message?.jsonrpc !== "2.0") return false;
  if (message.method === "$/cancelRequest") return typeof message.params === "object" && message.params !== null;
  return Message.isRequest(message) || Message.isNotification(message) || Message.isResponse(message);
}

function notMessage(what: string): PortholeError {
  return new PortholeError("usage", `What came in is not a message: ${what}`, {
    hint: "A message is a Content-Length header, an empty line, and a JSON-RPC 2.0 object.",
  });
}

/** Writes JSON-RPC messages to a stream, in order. The library's own would keep those that wait where they can't be counted. */
export class MeasuredWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #output: Writable;
  readonly #onChange: () => void;
  /** Messages that the system has not taken. */
  writing = 0;

  constructor(output: Writable, onChange: () => void = () => {}) {
    super();
    this.#output = output;
    this.#onChange = onChange;
    output.on("error", (error) => this.fireError(error));
    output.on("close", () => this.fireClose());
  }

  /** Bytes that the reader at the other end has not taken, nor the system for it. */
  get pendingBytes(): number {
    return this.#output.writableLength;
  }

  /** Resolves once the system has taken it; rejects when the stream is at its end. */
  async write(message: Message): Promise<void> {
    const body = Buffer.from(JSON.stringify(message), "utf8");
    const frame = Buffer.concat([Buffer.from(`Content-Length: ${body.length}${headerEnd}`, "latin1"), body]);
    this.writing += 1;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#output.write(frame, (error) => (error ? reject(error) : resolve()));
        this.#onChange();
      });
    } finally {
      this.writing -= 1;
      this.#onChange();
    }
  }

  /** The stream stays its owner's. */
  end(): void {}
}
