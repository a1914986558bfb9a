import { randomUUID } from "node:crypto";
import type { Clock } from "@porthole/common/util";

/** Event types of `porthole-relay events` and the events webhook. docs/operating.md lists the fields of each. */
export const eventTypes = [
  "joined", // a key was enrolled by an invite
  "connected", // a client's link was admitted
  "disconnected", // that link has ended
  "refused", // a client was not admitted
  "limited", // a limit turned somebody away
  "kept-out", // an address is kept out for what its clients did wrong
  "banned", // the operator has banned a key, network or name
  "certificate", // the relay has a new certificate, or could not get one
  "quic-restart", // the process that serves QUIC has ended and is started again
] as const;

export interface NewEvent {
  readonly type: (typeof eventTypes)[number];
  /** The client id, and the label of its invite. */
  readonly client?: string;
  readonly label?: string;
  readonly names?: readonly string[];
  readonly link?: string;
  readonly transport?: string;
  readonly address?: string;
  /** The error's code and sentence. */
  readonly code?: string;
  readonly reason?: string;
  readonly limit?: string;
  /** The address, network or name that a limit was reached for; how many more it turned away since the last event. */
  readonly source?: string;
  readonly before?: number;
  readonly forMs?: number;
  /** The banned key, network or name, and the end of the ban (ISO 8601). */
  readonly what?: string;
  readonly until?: string;
  /** End of the certificate (ISO 8601). */
  readonly expires?: string;
  readonly restarts?: number;
}

export interface RelayEvent extends NewEvent {
  /** Counts up from 1 since the start of the relay. */
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly time: string;
}

export type RecordEvent = (event: NewEvent) => void;

/** A reader's position. Each answer has the one for the next question. */
export interface EventsPosition {
  readonly run: string;
  readonly after: number;
}

export interface EventsAnswer {
  /** Random id of this run of the relay. */
  readonly run: string;
  readonly events: readonly RelayEvent[];
  /** How many the history has dropped since the reader's position. */
  readonly missed: number;
}

export const maxHistory = 1_000;

/** Keeps the last 1,000 events of the running relay, in memory only. */
export class Events {
  readonly run = randomUUID();
  readonly #clock: Clock;
  readonly #listener: ((event: RelayEvent) => void) | undefined;
  readonly #history: RelayEvent[] = [];
  #last = 0;

  /** `listener` is notified of each event at once and must not block. */
  constructor(clock: Clock, listener?: (event: RelayEvent) => void) {
    this.#clock = clock;
    this.#listener = listener;
  }

  readonly record: RecordEvent = (event) => {
    this.#last += 1;
    const recorded = { id: this.#last, time: new Date(this.#clock.now()).toISOString(), ...event };
    this.#history.push(recorded);
    if (this.#history.length > maxHistory) this.#history.shift();
    this.#listener?.(recorded);
  };

  /** The events after that position; all that are kept without one, or with one of another run. */
  since(position: Partial<EventsPosition> | undefined): EventsAnswer {
    const isOurs = position?.run === this.run;
    const after = isOurs && Number.isSafeInteger(position.after) ? Number(position.after) : 0;
    const first = this.#history[0]?.id ?? this.#last + 1;
    return {
      run: this.run,
      events: this.#history.filter(({ id }) => id > after),
      missed: isOurs ? Math.max(0, first - after - 1) : 0,
    };
  }
}
