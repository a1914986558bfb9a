import type { Clock, Timer } from "@porthole/common/util";
import { PortholeError } from "@porthole/common/errors";
import { version } from "@porthole/common/version";
import type { Bus } from "./bus.ts";
import { limits } from "./limits.ts";

/** A relay's report about itself, sent each second. */
export interface Beat {
  readonly software: string;
  /** It stops: visitors are led elsewhere while there is an elsewhere. */
  readonly isLeaving: boolean;
  /** Up to where it has told its names, and what they are; see NameMirror.check. */
  readonly seq: number;
  readonly count: number;
  readonly digest: string;
  readonly clients: number;
  readonly links: number;
  readonly streams: number;
}

export interface BeatsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly own: () => Omit<Beat, "software">;
  readonly onBeat: (node: string, beat: Beat) => void;
}

const topic = "beat";
const software = `porthole-relay/${version}`;

/** Tells how this relay stands, and knows how the others do. The caller closes it. */
export class Beats {
  readonly #options: BeatsOptions;
  readonly #latest = new Map<string, Beat>();
  readonly #stops: readonly (() => void)[];
  #timer: Timer;

  constructor(options: BeatsOptions) {
    const { bus, clock, onBeat } = options;
    this.#options = options;
    this.#stops = [
      bus.subscribe(topic, (from, bytes) => {
        const beat = readBeat(bytes);
        this.#latest.set(from, beat);
        onBeat(from, beat);
      }),
      bus.onListener(() => this.beat()),
      bus.onSpeaker((from, isHeard) => {
        if (!isHeard) this.#latest.delete(from);
      }),
    ];
    this.#timer = clock.timer(limits.beatMs, () => this.#next());
  }

  /** Returns a relay's latest report. Undefined while none arrives. */
  of(node: string): Beat | undefined {
    return this.#latest.get(node);
  }

  /** Tells it now. */
  beat(): void {
    this.#options.bus.publish(topic, Buffer.from(JSON.stringify({ software, ...this.#options.own() })));
  }

  close(): void {
    this.#timer.cancel();
    for (const stop of this.#stops) stop();
  }

  #next(): void {
    this.beat();
    this.#timer = this.#options.clock.timer(limits.beatMs, () => this.#next());
  }
}

function readBeat(bytes: Buffer): Beat {
  let value: Partial<Record<keyof Beat, unknown>>;
  try {
    value = JSON.parse(bytes.toString()) as Partial<Record<keyof Beat, unknown>>;
  } catch (cause) {
    throw new PortholeError("protocol", "A relay's beat is not JSON", { cause });
  }
  const count = (name: "seq" | "count" | "clients" | "links" | "streams"): number => {
    if (Number.isSafeInteger(value[name])) return Number(value[name]);
    throw new PortholeError("protocol", `${name} of a relay's beat is not a whole number`);
  };
  return {
    software: String(value.software)
      .replace(/[^\x21-\x7e]/g, " ")
      .slice(0, 100),
    isLeaving: value.isLeaving === true,
    digest: String(value.digest),
    ...{ seq: count("seq"), count: count("count") },
    ...{ clients: count("clients"), links: count("links"), streams: count("streams") },
  };
}
