import type { Clock, Timer } from "@porthole/common/util";
import type { Bus } from "./bus.ts";
import { limits } from "./limits.ts";
import { NamesDigest } from "./names-digest.ts";
import { encodeNames, type NamesMessage } from "./names-wire.ts";

export const namesTopic = "names";

export interface NameTellerOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** All names that clients serve at this relay now. */
  readonly names: () => Iterable<string>;
}

/** Tells the other relays which names this one serves: all to a relay that begins to listen, and changes to all of them. The caller closes it. */
export class NameTeller {
  readonly #options: NameTellerOptions;
  readonly #digest = new NamesDigest();
  readonly #changes = new Map<string, boolean>();
  readonly #stop: () => void;
  #timer: Timer | undefined;
  #seq = 0;
  #count = 0;

  constructor(options: NameTellerOptions) {
    this.#options = options;
    this.#stop = options.bus.onListener((to) => this.#tellAll(to));
  }

  /** By these a listener finds out whether it has understood everything up to this number. */
  get told(): { readonly seq: number; readonly count: number; readonly digest: string } {
    return { seq: this.#seq, count: this.#count, digest: this.#digest.toString() };
  }

  /** A name is served here from now on, or not any more. Other relays learn it within a few milliseconds. */
  changed(name: string, isHere: boolean): void {
    // Gone and back before it was told.
    if (this.#changes.has(name)) this.#changes.delete(name);
    else this.#changes.set(name, isHere);
    this.#timer ??= this.#options.clock.timer(limits.batchMs, () => this.#flush());
  }

  close(): void {
    this.#timer?.cancel();
    this.#stop();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const changes = [...this.#changes];
    this.#changes.clear();
    for (let from = 0; from < changes.length; from += limits.namesPerMessage) {
      const part = changes.slice(from, from + limits.namesPerMessage);
      const [added, removed] = [true, false].map((sign) => part.filter(([, isHere]) => isHere === sign));
      for (const [name] of part) this.#digest.toggle(name);
      this.#count += (added?.length ?? 0) - (removed?.length ?? 0);
      this.#seq += 1;
      const names = (of: typeof added): string[] => (of ?? []).map(([name]) => name);
      this.#options.bus.publish(
        namesTopic,
        encodeNames({ seq: this.#seq, kind: "change", added: names(added), removed: names(removed) }),
      );
    }
  }

  #tellAll(to: string): void {
    this.#flush();
    const say = (kind: NamesMessage["kind"], added: readonly string[]): void =>
      void this.#options.bus.send(to, namesTopic, encodeNames({ seq: this.#seq, kind, added, removed: [] }));
    say("begin", []);
    let part: string[] = [];
    for (const name of this.#options.names()) {
      part.push(name);
      if (part.length < limits.namesPerMessage) continue;
      say("part", part);
      part = [];
    }
    say("part", part);
    say("end", []);
  }
}
