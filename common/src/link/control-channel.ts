import type { Duplex } from "node:stream";
import { PortholeError } from "../errors.ts";
import { ControlDecoder, encodeControl, limits, type ControlMessage } from "../protocol/index.ts";
import { AsyncQueue } from "../util/async-queue.ts";
import type { TokenBucket } from "../util/token-bucket.ts";

/** Messages that a session sees. Heartbeat and aborts end inside the link. */
export type SessionMessage = Exclude<ControlMessage, { type: "ping" | "pong" | "abort" }>;

/** A peer that lets this much pile up is not reading its control stream. */
const maxQueuedBytes = 16 * limits.maxControlBytes;
/** A session has at most a handful of messages under way. */
const maxQueuedMessages = 32;

function valueOf({ value }: IteratorResult<SessionMessage, undefined>): SessionMessage | undefined {
  return value;
}

/** Control messages over a byte stream. Any breach of the protocol ends it with `onFailure`. */
export class ControlChannel {
  readonly #stream: Duplex;
  readonly #messages = new AsyncQueue<SessionMessage>(maxQueuedMessages);
  readonly #onFailure: (error: PortholeError) => void;

  constructor(
    stream: Duplex,
    options: {
      readonly budget: TokenBucket;
      /** Called when bytes have come. */
      readonly onHeard: (bytes: number) => void;
      /** Gets what belongs to the link itself. */
      readonly onLinkMessage: (message: Exclude<ControlMessage, SessionMessage>) => void;
      readonly onFailure: (error: PortholeError) => void;
    },
  ) {
    this.#stream = stream;
    this.#onFailure = options.onFailure;
    const decoder = new ControlDecoder();
    stream.on("data", (chunk: Buffer) => {
      options.onHeard(chunk.length);
      try {
        for (const message of decoder.push(chunk)) {
          if (!options.budget.take())
            throw new PortholeError("limit", "The other side sends more control messages than its streams explain");
          if (message.type === "ping" || message.type === "pong" || message.type === "abort") {
            options.onLinkMessage(message);
          } else if (!this.#messages.push(message)) {
            throw new PortholeError("limit", "The other side sent control messages faster than they can be handled");
          }
        }
      } catch (reason) {
        this.#fail(PortholeError.from(reason));
      }
    });
    stream.on("end", () => {
      // After the reader has seen the last message: a goodbye, or a drain, says more than the end does.
      setImmediate(() => this.#fail(new PortholeError("closed", "The other side ended the control stream")));
    });
    stream.on("error", (cause) => this.#fail(new PortholeError("closed", "The control stream broke", { cause })));
  }

  /**
   * Never waits: control messages are few and small, and a peer that doesn't read them loses its link. `onSent` is called when
   * the transport has taken the message, or never will.
   */
  send(message: ControlMessage, onSent: () => void = () => {}): void {
    if (!this.#stream.writable) return onSent();
    if (this.#stream.writableLength > maxQueuedBytes) {
      this.#fail(new PortholeError("limit", "The other side does not read its control stream"));
      return onSent();
    }
    this.#stream.write(encodeControl(message), onSent);
  }

  /** The next message, or undefined once the channel has ended. One reader at a time. */
  next(): Promise<SessionMessage | undefined> {
    return this.#messages.next().then(valueOf);
  }

  /** No more messages to the reader. Called by the link when it is over. */
  end(): void {
    this.#messages.end();
  }

  #fail(error: PortholeError): void {
    this.#messages.end();
    this.#onFailure(error);
  }
}
