import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { Backoff, sleep, type Clock } from "@porthole/common/util";
import { signedPost, type WebhookSettings } from "../admission/index.ts";
import type { RelayEvent } from "./events.ts";

export const maxQueued = 1_000;
const maxPerRequest = 100;
const retry = { firstMs: 1_000, maxMs: 60_000 };

export interface EventsWebhookDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Sends events to a program of the operator's, one signed POST at a time, and retries until it gets a 2xx. Beyond 1,000 waiting events
 * the oldest is dropped and counted. Nothing waits for it: when the relay closes, what is still queued is dropped.
 */
export class EventsWebhook {
  readonly #settings: WebhookSettings;
  readonly #deps: EventsWebhookDeps;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff(retry);
  readonly #queue: RelayEvent[] = [];
  #dropped = 0;
  #isFailing = false;
  /** Undefined while nothing is queued. */
  #sending: Promise<void> | undefined;

  constructor(settings: WebhookSettings, deps: EventsWebhookDeps) {
    this.#settings = settings;
    this.#deps = deps;
  }

  /** `run`: the id of the relay's run, with which an event's id is unique. */
  add(run: string, event: RelayEvent): void {
    if (this.#stop.signal.aborted) return;
    this.#queue.push(event);
    if (this.#queue.length > maxQueued) {
      this.#queue.shift();
      this.#dropped += 1;
    }
    this.#sending ??= this.#send(run).finally(() => (this.#sending = undefined));
  }

  async close(): Promise<void> {
    this.#stop.abort(new PortholeError("draining", "The relay stops"));
    await this.#sending;
  }

  /** Until the queue is empty. Never rejects. */
  async #send(run: string): Promise<void> {
    const { clock, log } = this.#deps;
    const { signal } = this.#stop;
    // What happens in the same turn goes together, and the caller does not wait for a connection.
    await Promise.resolve();
    while (this.#queue.length > 0 && !signal.aborted) {
      const events = this.#queue.slice(0, maxPerRequest);
      const dropped = this.#dropped;
      try {
        const { status } = await signedPost(
          this.#settings,
          JSON.stringify({ version: 1, run, dropped, events }),
          clock,
          signal,
        );
        if (status < 200 || status > 299)
          throw new PortholeError("protocol", `The events webhook answered with status ${status}`);
        const last = events.at(-1)?.id ?? 0;
        while (this.#queue[0] && this.#queue[0].id <= last) this.#queue.shift();
        this.#dropped -= dropped;
        this.#backoff.reset();
        if (this.#isFailing) log.info({}, "The events webhook takes events again");
        this.#isFailing = false;
      } catch (reason) {
        if (signal.aborted) return;
        const { code, message } = PortholeError.from(reason);
        if (!this.#isFailing) log.warn({ code }, `${message}; events wait, the last ${maxQueued} at most`);
        this.#isFailing = true;
        await sleep(clock, this.#backoff.next(), signal).catch(() => {});
      }
    }
  }
}
