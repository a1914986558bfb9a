import type { Transform } from "node:stream";
import type { PortholeError } from "@porthole/common/errors";
import {
  valueOf,
  type Exchange,
  type ForwardedHead,
  type RawHeaders,
  type RequestHead,
  type ResponseHead,
} from "../http/index.ts";
import { createDecoder } from "./content-decoder.ts";
import { EventReader } from "./event-reader.ts";
import { invalidMessage, type Message } from "./message.ts";
import { MessageLog } from "./message-log.ts";
import { RecordedBody } from "./recorded-body.ts";
import type { ExchangeSummary } from "./views.ts";
import { WebSocketReader } from "./websocket-reader.ts";

/** The list that a recording belongs to. */
export interface RecordingHome {
  readonly maxBodyBytes: number;
  now(): number;
  monotonic(): number;
  /** It keeps so many bytes more, or less. */
  grew(recording: Recording, bytes: number): void;
  changed(recording: Recording): void;
  ended(recording: Recording): void;
  dismissed(recording: Recording): void;
}

export interface RecordingOrigin {
  readonly replayOf?: string;
  readonly edited?: boolean;
}

type Mark = "forwarded" | "requestEnd" | "responseHead" | "responseEnd" | "end";

type Readers = { readonly visitor?: WebSocketReader; readonly service?: WebSocketReader };

const noReaders: Readers = {};

/** Objects, dates and numbers of one recording; strings come on top. */
const overheadBytes = 1_024;
/** The limit for a WebSocket, both directions together: about 2 % of a processor. */
const maxFramesPerSecond = 10_000;

/** One exchange as it happens. Holds what was sent, unredacted; views take secrets out. */
export class Recording implements Exchange {
  readonly seq: number;
  readonly id: string;
  readonly request: RequestHead;
  readonly origin: RecordingOrigin;
  readonly startedAt: number;
  readonly marks: Partial<Record<Mark, number>> = {};
  readonly requestBody: RecordedBody;
  responseBody: RecordedBody;
  requestTrailers: RawHeaders = [];
  responseTrailers: RawHeaders = [];
  forwardedHead: ForwardedHead | undefined;
  response: ResponseHead | undefined;
  kind: ExchangeSummary["kind"] = "http";
  messages: MessageLog | undefined;
  error: PortholeError | undefined;
  /** Bytes that it counts for. */
  bytes = 0;
  readonly #home: RecordingHome;
  readonly #startedMono: number;
  #readers: Readers = noReaders;
  #events: EventReader | Transform | undefined;
  #isGone = false;

  constructor(
    seq: number,
    request: RequestHead,
    home: RecordingHome,
    origin: RecordingOrigin = {},
    startedAt = home.now(),
  ) {
    this.seq = seq;
    this.id = String(seq);
    this.request = request;
    this.origin = origin;
    this.#home = home;
    this.startedAt = startedAt;
    this.#startedMono = home.monotonic();
    this.requestBody = new RecordedBody(home.maxBodyBytes);
    this.responseBody = new RecordedBody(home.maxBodyBytes);
    this.#grow(overheadBytes + request.target.length + sizeOf(request.headers));
  }

  get isOpen(): boolean {
    return this.marks.end === undefined;
  }

  forwarded(head: ForwardedHead): void {
    this.#mark("forwarded");
    this.#grow(sizeOf(head.headers) - sizeOf(this.forwardedHead?.headers ?? []));
    this.forwardedHead = head;
  }

  requestChunk(chunk: Uint8Array): void {
    if (!this.#isGone) this.#grow(this.requestBody.add(chunk));
    // A service may answer before the end is seen, and nobody waits for that then.
    if (valueOf(this.request.headers, "content-length") === String(this.requestBody.bytes)) this.requestBody.end();
  }

  requestEnd(trailers: RawHeaders): void {
    this.#mark("requestEnd");
    this.#grow(sizeOf(trailers));
    this.requestTrailers = trailers;
    this.requestBody.end();
  }

  responseHead(head: ResponseHead): void {
    this.#mark("responseHead");
    this.#grow(sizeOf(head.headers) - sizeOf(this.response?.headers ?? []));
    if (this.response) {
      // The answer to an earlier try, which the visitor never got.
      this.#grow(-this.responseBody.capacity);
      this.responseBody = new RecordedBody(this.#home.maxBodyBytes);
    }
    this.response = head;
    if (/^\s*text\/event-stream\b/i.test(valueOf(head.headers, "content-type") ?? "")) this.#startEvents(head.headers);
    this.#home.changed(this);
  }

  responseChunk(chunk: Uint8Array): void {
    if (this.#isGone) return;
    this.#grow(this.responseBody.add(chunk));
    if (this.#events instanceof EventReader) this.#events.push(chunk);
    else this.#events?.write(Buffer.from(chunk));
    if (this.#events) this.#home.changed(this);
  }

  responseEnd(trailers: RawHeaders): void {
    this.#mark("responseEnd");
    this.#grow(sizeOf(trailers));
    this.responseTrailers = trailers;
    this.responseBody.end();
  }

  upgraded(head: ResponseHead): void {
    this.#mark("responseHead");
    this.#grow(sizeOf(head.headers));
    this.response = head;
    this.requestBody.end();
    const protocol = valueOf(head.headers, "upgrade") ?? valueOf(this.request.headers, "upgrade") ?? "websocket";
    this.kind = protocol.toLowerCase() === "websocket" ? "websocket" : "upgrade";
    if (this.kind === "websocket") {
      this.messages = new MessageLog(this.#home.maxBodyBytes);
      const extensions = valueOf(head.headers, "sec-websocket-extensions") ?? "";
      const log = (message: Message): void => this.#log(message);
      this.#readers = {
        visitor: new WebSocketReader("visitor", extensions, log),
        service: new WebSocketReader("service", extensions, log),
      };
    }
    this.#home.changed(this);
  }

  upgradeChunk(from: "visitor" | "service", chunk: Uint8Array): void {
    if (this.#isGone) return;
    const body = from === "visitor" ? this.requestBody : this.responseBody;
    const reader = this.#readers[from];
    // For a WebSocket the messages are kept, not the bytes.
    if (this.kind === "websocket") body.bytes += chunk.length;
    else this.#grow(body.add(chunk));
    reader?.push(chunk);
    if (this.#isFlooded()) {
      this.#readers = noReaders;
      this.#log(invalidMessage(from, "There are too many messages to read them; the bytes are carried on"));
    }
    this.#home.changed(this);
  }

  end(error?: PortholeError): void {
    if (!this.isOpen) return;
    this.#mark("end");
    // Who has the whole answer may leave.
    const hasAll = error?.code === "aborted" && this.marks.responseEnd !== undefined;
    this.error = hasAll ? undefined : error;
    this.#stopReading();
    if (!this.#isGone) this.#home.ended(this);
  }

  dismiss(): void {
    if (!this.#isGone) this.#home.dismissed(this);
  }

  /** It has given way to newer ones: nothing more is kept of it. */
  forget(): void {
    this.#isGone = true;
    this.requestBody.drop();
    this.responseBody.drop();
    this.#stopReading();
  }

  #stopReading(): void {
    if (this.#events && !(this.#events instanceof EventReader)) this.#events.end();
    this.#events = undefined;
    this.#readers = noReaders;
  }

  #isFlooded(): boolean {
    const frames = (this.#readers.visitor?.frames ?? 0) + (this.#readers.service?.frames ?? 0);
    return frames > maxFramesPerSecond && frames > maxFramesPerSecond * (1 + this.#elapsed() / 1_000);
  }

  #startEvents(headers: RawHeaders): void {
    this.kind = "sse";
    this.messages = new MessageLog(this.#home.maxBodyBytes);
    const reader = new EventReader((message) => this.#log(message));
    const coding = valueOf(headers, "content-encoding")?.trim().toLowerCase();
    const decoder = coding === undefined || coding === "identity" ? undefined : createDecoder(coding);
    decoder?.on("data", (chunk: Buffer) => reader.push(chunk));
    // What can't be decoded has no events to show; its bytes are there.
    decoder?.on("error", () => {});
    this.#events = decoder ?? (coding === undefined || coding === "identity" ? reader : undefined);
  }

  #log(message: Message): void {
    if (this.#isGone || !this.messages) return;
    this.#grow(this.messages.add(message, this.#elapsed()));
    this.#home.changed(this);
  }

  #mark(mark: Mark): void {
    this.marks[mark] = this.#elapsed();
  }

  #elapsed(): number {
    return this.#home.monotonic() - this.#startedMono;
  }

  #grow(bytes: number): void {
    if (bytes === 0 || this.#isGone) return;
    this.bytes += bytes;
    this.#home.grew(this, bytes);
  }
}

function sizeOf(headers: RawHeaders): number {
  let size = 0;
  for (const text of headers) size += text.length;
  return size;
}
