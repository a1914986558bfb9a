import type { Clock, Timer } from "@porthole/common/util";
import type { Recording } from "./recording.ts";
import type { ExchangeSummary, InspectorChanges, InspectorStatus } from "./views.ts";

/** Soon enough for the eye, rare enough for thousands of requests a second. */
const pauseMs = 50;

type Listener = (changes: InspectorChanges) => void;

/** Collects changes and notifies subscribers, several changes together. Without subscribers it does nothing. */
export class ChangeFeed {
  readonly #clock: Clock;
  readonly #summaryOf: (recording: Recording) => ExchangeSummary;
  readonly #status: () => InspectorStatus;
  readonly #listeners = new Set<Listener>();
  readonly #changed = new Set<Recording>();
  #removed: string[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock, summaryOf: (recording: Recording) => ExchangeSummary, status: () => InspectorStatus) {
    this.#clock = clock;
    this.#summaryOf = summaryOf;
    this.#status = status;
  }

  subscribe(listener: Listener): () => void {
    // A function of its own each time: the same listener may subscribe twice.
    const own: Listener = (changes) => listener(changes);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#reset();
    };
  }

  changed(recording: Recording): void {
    if (this.#listeners.size === 0) return;
    this.#changed.add(recording);
    this.#schedule();
  }

  removed(recording: Recording): void {
    if (this.#listeners.size === 0) return;
    this.#changed.delete(recording);
    this.#removed.push(recording.id);
    this.#schedule();
  }

  /** The status is another one. */
  touch(): void {
    if (this.#listeners.size > 0) this.#schedule();
  }

  close(): void {
    this.#listeners.clear();
    this.#reset();
  }

  #schedule(): void {
    this.#timer ??= this.#clock.timer(pauseMs, () => this.#tell());
  }

  #tell(): void {
    const changes: InspectorChanges = {
      exchanges: [...this.#changed].sort((a, b) => a.seq - b.seq).map((recording) => this.#summaryOf(recording)),
      removed: this.#removed,
      status: this.#status(),
    };
    this.#reset();
    for (const listener of this.#listeners) listener(changes);
  }

  #reset(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#changed.clear();
    this.#removed = [];
  }
}
