import { constants, inflateRawSync } from "node:zlib";
import type { Message } from "./message.ts";

/** Largest size of one message. Beyond it neither the message nor those that build on it can be shown. */
const maxInflatedBytes = 8 * 1024 * 1024;
/** The bound on output by input in the long run: little data must not cause much work. */
const maxRatio = 20;
/** How far back a message can refer. */
const windowBytes = 32 * 1024;
const tail = Buffer.from([0, 0, 0xff, 0xff]);

/** Undoes permessage-deflate (RFC 7692) for one direction, message by message. */
export class MessageInflater {
  readonly #keepsContext: boolean;
  #window = Buffer.alloc(0);
  #isLost = false;
  #allowanceBytes = 4 * 1024 * 1024;

  private constructor(keepsContext: boolean) {
    this.#keepsContext = keepsContext;
  }

  /** Undefined when both sides did not agree on it. */
  static for(from: Message["from"], extensions: string): MessageInflater | undefined {
    const parts = extensions
      .toLowerCase()
      .split(/[;,]/)
      .map((part) => part.trim());
    if (!parts.includes("permessage-deflate")) return undefined;
    return new MessageInflater(
      !parts.includes(from === "visitor" ? "client_no_context_takeover" : "server_no_context_takeover"),
    );
  }

  /** The message, or why it can't be read. Undefined stands for a message that was too large to keep. */
  inflate(compressed: Buffer | undefined): Buffer | string {
    if (this.#isLost) return "It builds on an earlier message that could not be decompressed";
    this.#allowanceBytes += maxRatio * (compressed?.length ?? 0);
    const maxOutputLength = Math.max(1, Math.min(maxInflatedBytes, this.#allowanceBytes));
    try {
      if (!compressed) throw new RangeError();
      const message = inflateRawSync(Buffer.concat([compressed, tail]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength,
        ...(this.#window.length > 0 ? { dictionary: this.#window } : {}),
      });
      this.#allowanceBytes -= message.length;
      if (this.#keepsContext)
        this.#window =
          message.length >= windowBytes
            ? Buffer.from(message.subarray(-windowBytes))
            : Buffer.concat([this.#window, message]).subarray(-windowBytes);
      return message;
    } catch (reason) {
      this.#isLost = this.#keepsContext;
      if (!(reason instanceof RangeError)) return "It can't be decompressed";
      this.#allowanceBytes -= maxOutputLength;
      return "It is too large to be decompressed here";
    }
  }
}
