import { maxKeptMessageBytes, type Message } from "./message.ts";

/** The limit on a line or an event's data that does not end. */
const maxPendingChars = maxKeptMessageBytes;
const maxNameChars = 1_000;

/** Reads server-sent events (HTML standard, 9.2.6) as they pass, in chunks of any size. */
export class EventReader {
  readonly #onMessage: (message: Message) => void;
  readonly #decoder = new TextDecoder();
  #line = "";
  #afterReturn = false;
  #data: string[] = [];
  #chars = 0;
  #bytes = 0;
  #name = "";
  #id: string | undefined;
  #retryMs: number | undefined;

  constructor(onMessage: (message: Message) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Uint8Array): void {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") this.#afterReturn = text.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop() ?? "";
    for (const line of lines) {
      this.#readLine(this.#line + line);
      this.#line = "";
    }
    if (this.#line.length < maxPendingChars) this.#line += last;
  }

  #readLine(line: string): void {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#addData(value);
    else if (field === "event") this.#name = value.slice(0, maxNameChars);
    else if (field === "id" && !value.includes("\0")) this.#id = value.slice(0, maxNameChars);
    else if (field === "retry" && /^\d{1,12}$/.test(value)) this.#retryMs = Number(value);
  }

  #addData(value: string): void {
    this.#bytes += Buffer.byteLength(value) + (this.#data.length > 0 ? 1 : 0);
    if (this.#chars < maxPendingChars) this.#data.push(value);
    this.#chars += value.length + 1;
  }

  #dispatch(): void {
    const isEmpty = this.#data.length === 0 && this.#id === undefined && this.#retryMs === undefined;
    if (!isEmpty)
      this.#onMessage({
        from: "service",
        type: "event",
        data: Buffer.from(this.#data.join("\n")).subarray(0, maxKeptMessageBytes),
        bytes: this.#bytes,
        event: {
          name: this.#name || "message",
          ...(this.#id === undefined ? {} : { id: this.#id }),
          ...(this.#retryMs === undefined ? {} : { retryMs: this.#retryMs }),
        },
      });
    this.#data = [];
    this.#chars = 0;
    this.#bytes = 0;
    this.#name = "";
    this.#id = undefined;
    this.#retryMs = undefined;
  }
}
