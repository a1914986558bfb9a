import type { Message } from "./message.ts";

export interface LoggedMessage {
  readonly seq: number;
  readonly atMs: number;
  readonly message: Message;
}

/** The log as data. */
export interface KeptMessages {
  readonly total: number;
  readonly messages: readonly LoggedMessage[];
}

/** Beside the payload. */
const overheadBytes = 200;

/** The newest messages of one exchange, within a bound. */
export class MessageLog {
  readonly #maxBytes: number;
  #messages: LoggedMessage[] = [];
  #first = 0;
  total = 0;
  bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes more (or less) are kept now. */
  add(message: Message, atMs: number): number {
    const before = this.bytes;
    this.#messages.push({ seq: ++this.total, atMs, message });
    this.bytes += message.data.length + overheadBytes;
    while (this.bytes > this.#maxBytes && this.#first < this.#messages.length - 1) {
      this.bytes -= (this.#messages[this.#first]?.message.data.length ?? 0) + overheadBytes;
      this.#first++;
    }
    // Cheaper than a shift for each one.
    if (this.#first > 1_000 && this.#first > this.#messages.length / 2) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return this.bytes - before;
  }

  keep(): KeptMessages {
    return { total: this.total, messages: this.after(0, Infinity) };
  }

  /** Takes what another one kept. */
  restore({ total, messages }: KeptMessages): void {
    this.total = total - messages.length;
    // A copy: the data may be a part of something larger.
    for (const { message, atMs } of messages) this.add({ ...message, data: Buffer.from(message.data) }, atMs);
  }

  get firstKept(): number {
    return this.#messages[this.#first]?.seq ?? this.total + 1;
  }

  /** Those with a higher number, the oldest first. */
  after(seq: number, limit: number): readonly LoggedMessage[] {
    const start = this.#first + Math.max(0, seq + 1 - this.firstKept);
    return this.#messages.slice(start, start + limit);
  }
}
