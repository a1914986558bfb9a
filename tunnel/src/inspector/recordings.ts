import type { RequestHead } from "../http/index.ts";
import type { Clock } from "@porthole/common/util";
import { Fifo } from "./fifo.ts";
import { restoreRecording, type KeptRecordings } from "./kept-recordings.ts";
import { Recording, type RecordingHome, type RecordingOrigin } from "./recording.ts";

export interface RecordingLimits {
  readonly maxExchanges: number;
  /** The limit on everything that is kept: heads, bodies and messages. */
  readonly maxBytes: number;
  /** The limit on one body, and on the messages of one exchange. */
  readonly maxBodyBytes: number;
}

export interface RecordingEvents {
  changed(recording: Recording): void;
  removed(recording: Recording): void;
}

/** The newest exchanges, within bounds of number and bytes. The oldest that has ended gives way; only when none has, the oldest. */
export class Recordings implements RecordingHome {
  readonly #clock: Clock;
  readonly #limits: RecordingLimits;
  readonly #events: RecordingEvents;
  readonly #all = new Map<string, Recording>();
  readonly #ended = new Fifo<Recording>();
  #seq = 0;
  bytes = 0;
  evicted = 0;

  constructor(limits: RecordingLimits, clock: Clock, events: RecordingEvents) {
    this.#limits = limits;
    this.#clock = clock;
    this.#events = events;
  }

  get maxBodyBytes(): number {
    return this.#limits.maxBodyBytes;
  }

  get size(): number {
    return this.#all.size;
  }

  begin(request: RequestHead, origin?: RecordingOrigin): Recording {
    const recording = new Recording(++this.#seq, request, this, origin);
    this.#all.set(recording.id, recording);
    if (this.#all.size > this.#limits.maxExchanges) this.#evict(recording);
    this.#events.changed(recording);
    return recording;
  }

  /** Continues with what an earlier process had. Nobody is notified: it is not new. */
  restore({ recordings }: KeptRecordings): void {
    for (const kept of recordings.slice(-this.#limits.maxExchanges)) {
      const recording = restoreRecording(kept, this);
      this.#seq = Math.max(this.#seq, recording.seq);
      this.#all.set(recording.id, recording);
      this.#ended.push(recording);
    }
  }

  get(id: string): Recording | undefined {
    return this.#all.get(id);
  }

  /** The newest first. */
  newest(): Recording[] {
    return [...this.#all.values()].toReversed();
  }

  clear(): void {
    this.#ended.clear();
    for (const recording of [...this.#all.values()]) this.#remove(recording);
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  grew(recording: Recording, bytes: number): void {
    this.bytes += bytes;
    while (this.bytes > this.#limits.maxBytes && this.#evict(recording));
  }

  changed(recording: Recording): void {
    if (this.#all.has(recording.id)) this.#events.changed(recording);
  }

  ended(recording: Recording): void {
    if (!this.#all.has(recording.id)) return;
    this.#ended.push(recording);
    this.#events.changed(recording);
  }

  dismissed(recording: Recording): void {
    if (this.#all.has(recording.id)) this.#remove(recording);
  }

  /** Anything but the one that needs the room, if there is anything else. */
  #evict(keep: Recording): boolean {
    const victim = this.#ended.shiftBut(keep) ?? this.#oldestBut(keep);
    if (!victim) return false;
    this.evicted++;
    this.#remove(victim);
    return true;
  }

  #remove(recording: Recording): void {
    this.#all.delete(recording.id);
    this.bytes -= recording.bytes;
    recording.forget();
    this.#events.removed(recording);
  }

  /** For when all of them are open, or nearly: it is slow. */
  #oldestBut(keep: Recording): Recording | undefined {
    for (const recording of this.#all.values()) if (recording !== keep) return recording;
    return undefined;
  }
}
