import { PortholeError } from "@porthole/common/errors";
import type { LinkStream } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import type { Bus } from "./bus.ts";
import { BusDecoder, encodeBusMessage } from "./bus-wire.ts";
import { limits } from "./limits.ts";

/**
 * The bus that needs nothing but the links between relays: each relay opens one stream to every other one, and what the other one
 * says comes by it.
 */
export class LinkBus implements Bus {
  readonly #log: Logger;
  /** Streams of relays that listen to this one. */
  readonly #listeners = new Map<string, LinkStream>();
  /** Streams by which this relay listens. */
  readonly #speakers = new Map<string, LinkStream>();
  readonly #subscribers = new Map<string, Set<(from: string, bytes: Buffer) => void>>();
  readonly #onListener = new Set<(to: string) => void>();
  readonly #onSpeaker = new Set<(from: string, isHeard: boolean) => void>();

  constructor(log: Logger) {
    this.#log = log;
  }

  publish(topic: string, bytes: Uint8Array): void {
    if (this.#listeners.size === 0) return;
    const message = encodeBusMessage(topic, bytes);
    for (const [to, stream] of this.#listeners) this.#write(to, stream, message);
  }

  send(to: string, topic: string, bytes: Uint8Array): boolean {
    const stream = this.#listeners.get(to);
    if (stream) this.#write(to, stream, encodeBusMessage(topic, bytes));
    return stream !== undefined;
  }

  subscribe(topic: string, onMessage: (from: string, bytes: Buffer) => void): () => void {
    const subscribers = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, subscribers.add(onMessage));
    return () => subscribers.delete(onMessage);
  }

  onListener(listener: (to: string) => void): () => void {
    this.#onListener.add(listener);
    return () => this.#onListener.delete(listener);
  }

  onSpeaker(listener: (from: string, isHeard: boolean) => void): () => void {
    this.#onSpeaker.add(listener);
    return () => this.#onSpeaker.delete(listener);
  }

  listenAgain(from: string): void {
    this.#speakers.get(from)?.destroy(new PortholeError("closed", "Messages of this relay are not complete"));
  }

  /** Relays that listen to this one. */
  get listeners(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  /** Whether a relay can be heard. */
  hears(from: string): boolean {
    return this.#speakers.has(from);
  }

  /** A relay has opened the stream by which it listens. It takes the place of an earlier one. */
  listen(to: string, stream: LinkStream): void {
    this.#listeners.get(to)?.destroy();
    this.#listeners.set(to, stream);
    stream.resume();
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      if (this.#listeners.get(to) === stream) this.#listeners.delete(to);
    });
    for (const listener of this.#onListener) listener(to);
  }

  /** Listens to a relay by a stream to it. There may be one at a time. */
  hear(from: string, stream: LinkStream): void {
    this.#speakers.set(from, stream);
    for (const listener of this.#onSpeaker) listener(from, true);
    const decoder = new BusDecoder();
    stream.on("data", (chunk: Buffer) => {
      try {
        for (const { topic, bytes } of decoder.push(chunk))
          for (const subscriber of this.#subscribers.get(topic) ?? []) subscriber(from, bytes);
      } catch (reason) {
        const error = PortholeError.from(reason);
        this.#log.warn({ relay: from, code: error.code }, error.message);
        stream.destroy(error);
      }
    });
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      this.#speakers.delete(from);
      for (const listener of this.#onSpeaker) listener(from, false);
    });
  }

  #write(to: string, stream: LinkStream, message: Buffer): void {
    if (stream.destroyed) return;
    stream.write(message);
    if (stream.writableLength <= limits.maxQueuedBytes) return;
    this.#log.warn({ relay: to }, "A relay does not read what this one says; it has to begin again");
    stream.destroy(new PortholeError("limit", "This relay does not read"));
  }
}
