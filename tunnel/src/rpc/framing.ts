import type { Readable, Writable } from "node:stream";
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  ErrorCodes,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
  type MessageWriter,
} from "vscode-jsonrpc/node";

/** Far above any header of ours; what is longer is not a header. */
const maxHeaderBytes = 4 * 1024;
const headerEnd = "\r\n\r\n";
const lengthLine = /content-length:[ \t]*(\d{1,15})[ \t]*(?:\r\n|$)/i;

/** Something that came in and is not a message. */
export interface BadMessage {
  /** JSON-RPC 2.0 5.1. */
  readonly code: number;
  readonly what: string;
  /** Of the request, where it could be read. */
  readonly id?: string | number;
}

export interface FrameReaderOptions {
  readonly maxMessageBytes: number;
  /** Reading goes on with what follows. */
  readonly onBad: (bad: BadMessage) => void;
}

/**
 * Takes JSON-RPC messages out of a stream (Language Server Protocol 3.17, base protocol). Only well-formed messages get
 * through, so that the library behind it can rely on their form; memory stays below two messages whatever comes in.
 */
export class FrameReader extends AbstractMessageReader implements MessageReader {
  readonly #input: Readable;
  readonly #options: FrameReaderOptions;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Of the body that is awaited; undefined while a header is. */
  #bodyLength: number | undefined;
  /** Bytes of a body that is too large. */
  #skip = 0;
  /** Since the last good header: one complaint is enough. */
  #lost = false;

  constructor(input: Readable, options: FrameReaderOptions) {
    super();
    this.#input = input;
    this.#options = options;
  }

  listen(callback: DataCallback): Disposable {
    const onData = (chunk: Buffer): void => this.#onData(chunk, callback);
    const onError = (error: Error): void => this.fireError(error);
    const onClose = (): void => this.fireClose();
    this.#input.on("data", onData);
    this.#input.on("error", onError);
    this.#input.on("end", onClose);
    this.#input.on("close", onClose);
    return {
      dispose: () => {
        this.#input.off("data", onData);
        this.#input.off("end", onClose);
        this.#input.off("close", onClose);
      },
    };
  }

  #onData(chunk: Buffer, callback: DataCallback): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#step(callback)) {
      // One header or one body at a time.
    }
  }

  /** False when more bytes are needed. */
  #step(callback: DataCallback): boolean {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, this.#size);
      this.#take(skipped);
      this.#skip -= skipped;
      return this.#skip === 0 && this.#size > 0;
    }
    if (this.#bodyLength === undefined) return this.#readHeader();
    if (this.#size < this.#bodyLength) return false;
    const body = this.#take(this.#bodyLength);
    this.#bodyLength = undefined;
    this.#readBody(body, callback);
    return true;
  }

  #readHeader(): boolean {
    const buffer = this.#gather();
    const end = buffer.indexOf(headerEnd);
    if (end < 0) {
      if (this.#size > maxHeaderBytes) {
        this.#complain();
        this.#take(this.#size - maxHeaderBytes);
      }
      return false;
    }
    const text = buffer.toString("latin1", Math.max(0, end - maxHeaderBytes), end + 2);
    this.#take(end + headerEnd.length);
    const match = lengthLine.exec(text);
    const length = match?.[1];
    // After a message that was shorter or longer than it said, the next header is somewhere behind.
    if (length === undefined || (match && match.index > 0 && text[match.index - 1] !== "\n")) this.#complain();
    if (length === undefined) return true;
    this.#lost = false;
    const bytes = Number(length);
    const { maxMessageBytes, onBad } = this.#options;
    if (bytes > maxMessageBytes) {
      onBad({ code: ErrorCodes.InvalidRequest, what: `${bytes} bytes, more than ${maxMessageBytes}` });
      this.#skip = bytes;
    } else {
      this.#bodyLength = bytes;
    }
    return true;
  }

  #complain(): void {
    if (!this.#lost) this.#options.onBad({ code: ErrorCodes.ParseError, what: "no Content-Length header" });
    this.#lost = true;
  }

  #readBody(body: Buffer, callback: DataCallback): void {
    let value: unknown;
    try {
      value = JSON.parse(body.toString("utf8"));
    } catch {
      // The parser's message quotes the text, which may hold a key.
      this.#options.onBad({ code: ErrorCodes.ParseError, what: "not JSON" });
      return;
    }
    const bad = badMessage(value);
    if (bad) this.#options.onBad(bad);
    else callback(value as Message);
  }

  #gather(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  #take(length: number): Buffer {
    const buffer = this.#gather();
    this.#size -= length;
    this.#chunks = this.#size === 0 ? [] : [buffer.subarray(length)];
    return buffer.subarray(0, length);
  }
}

/** What the library takes for granted: an object with version, method or outcome, an id that can be answered, params by name. */
function badMessage(value: unknown): BadMessage | undefined {
  const code = ErrorCodes.InvalidRequest;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { code, what: Array.isArray(value) ? "a batch, which is not supported" : "not an object" };
  const { jsonrpc, method, id, params } = value as Readonly<Record<string, unknown>>;
  const isId = typeof id === "string" || typeof id === "number";
  const known = isId ? { id } : {};
  if (jsonrpc !== "2.0") return { code, what: 'jsonrpc is not "2.0"', ...known };
  if (id !== undefined && !isId) return { code, what: "id is neither a string nor a number" };
  if (method === undefined) {
    if (isId && ("result" in value || "error" in value)) return undefined;
    return { code, what: "it has neither a method nor an outcome", ...known };
  }
  if (typeof method !== "string") return { code, what: "method is not a string", ...known };
  if (params !== undefined && (typeof params !== "object" || params === null || Array.isArray(params)))
    return { code: ErrorCodes.InvalidParams, what: "params is not an object: parameters go by name", ...known };
  if (method === "$/cancelRequest" && !isCancellation(params))
    return { code: ErrorCodes.InvalidParams, what: "$/cancelRequest needs the id of a request", ...known };
  return undefined;
}

function isCancellation(params: unknown): boolean {
  const id = (params as { readonly id?: unknown } | undefined)?.id;
  return typeof id === "string" || typeof id === "number";
}

/** Writes JSON-RPC messages to a stream, in order. The stream stays its owner's. */
export class FrameWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #output: Writable;

  constructor(output: Writable) {
    super();
    this.#output = output;
    output.on("error", (error) => this.fireError(error));
    output.on("close", () => this.fireClose());
  }

  /** Bytes that the reader at the other end has not taken, nor the system for it. */
  get pendingBytes(): number {
    return this.#output.writableLength;
  }

  /** Resolves once the system has taken it; rejects when the stream is at its end. */
  write(message: Message): Promise<void> {
    const body = Buffer.from(JSON.stringify(message), "utf8");
    const frame = Buffer.concat([Buffer.from(`Content-Length: ${body.length}${headerEnd}`, "latin1"), body]);
    return new Promise((resolve, reject) => {
      this.#output.write(frame, (error) => (error ? reject(error) : resolve()));
    });
  }

  end(): void {}
}
