import type { Clock, Timer } from "@porthole/common/util";
import { limits } from "./limits.ts";
import { NamesDigest } from "./names-digest.ts";
import type { NamesMessage } from "./names-wire.ts";

export interface NameMirrorOptions {
  readonly clock: Clock;
  /** For how long clients of a relay that is gone are expected at another one. */
  readonly graceMs: () => number;
  /** Another relay has a client with this name now. */
  readonly onArrival: (name: string) => void;
  /** A relay's messages do not fit together. It has to send its names again from the beginning. */
  readonly onConfusion: (node: string) => void;
}

/** One list of one relay. It has a number, so that an entry costs one, and a list is forgotten by its number. */
interface List {
  readonly node: string;
  readonly digest: NamesDigest;
  count: number;
  seq: number;
  /** `filling` until its end is here, `lost` while its relay can't be heard, `dead` when its entries mean nothing. */
  state: "filling" | "serving" | "lost" | "dead";
  lostAt: number;
}

type Lists = number | readonly number[];

/** Which names other relays serve, as they say it. Each relay is the only one that says something about its own clients. */
export class NameMirror {
  readonly #options: NameMirrorOptions;
  readonly #entries = new Map<string, Lists>();
  readonly #lists: (List | undefined)[] = [];
  readonly #timers = new Set<Timer>();
  #sweep: Iterator<[string, Lists]> | undefined;
  #isSweepDue = false;

  constructor(options: NameMirrorOptions) {
    this.#options = options;
  }

  /** Relays that serve this name. */
  find(name: string): readonly string[] {
    const found = this.#entries.get(name);
    if (found === undefined) return [];
    const nodes = this.#listsOf(found)
      .filter(({ state }) => state === "serving" || state === "filling")
      .map(({ node }) => node);
    return nodes.length > 1 ? [...new Set(nodes)] : nodes;
  }

  /** For how long the client of this name is expected at another relay, because its own was lost; 0 for any other name. */
  expectedMs(name: string): number {
    const { clock, graceMs } = this.#options;
    const lost = this.#listsOf(this.#entries.get(name) ?? []).filter(({ state }) => state === "lost");
    return lost.reduce((longest, { lostAt }) => Math.max(longest, lostAt + graceMs() - clock.monotonic()), 0);
  }

  /** How many names a relay serves. */
  count(node: string): number {
    return this.#of(node, "serving")?.count ?? 0;
  }

  /** Names that are known, of relays that were lost included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Applies a relay's message about its names. */
  hear(node: string, { seq, kind, added, removed }: NamesMessage): void {
    if (kind === "begin") {
      this.#kill(this.#of(node, "filling"));
      this.#begin(node, seq);
      return;
    }
    const list = this.#of(node, kind === "change" ? "serving" : "filling");
    if (!list) return this.#options.onConfusion(node);
    if (kind === "change") {
      if (seq !== list.seq + 1) return this.#options.onConfusion(node);
      list.seq = seq;
    }
    const number = this.#lists.indexOf(list);
    for (const name of added) this.#add(name, number, list);
    for (const name of removed) this.#remove(name, number, list);
    if (kind !== "end") return;
    for (const state of ["serving", "lost"] as const) this.#kill(this.#of(node, state));
    list.state = "serving";
  }

  /** A relay says up to where it has told everything, and what that is. */
  check(node: string, told: { readonly seq: number; readonly count: number; readonly digest: string }): void {
    const list = this.#of(node, "serving");
    if (!list || list.seq !== told.seq) return;
    if (list.count !== told.count || list.digest.toString() !== told.digest) this.#options.onConfusion(node);
  }

  /** A relay can't be heard any more. Its clients will come to others. */
  lost(node: string): void {
    const { clock, graceMs } = this.#options;
    this.#kill(this.#of(node, "filling"));
    const list = this.#of(node, "serving");
    if (!list) return;
    this.#kill(this.#of(node, "lost"));
    list.state = "lost";
    list.lostAt = clock.monotonic();
    this.#after(graceMs(), () => {
      if (list.state === "lost") this.#kill(list);
    });
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #of(node: string, state: List["state"]): List | undefined {
    return this.#lists.find((list) => list?.node === node && list.state === state);
  }

  #listsOf(lists: Lists): List[] {
    const numbers = typeof lists === "number" ? [lists] : lists;
    return numbers.flatMap((number) => this.#lists[number] ?? []);
  }

  #begin(node: string, seq: number): void {
    const free = this.#lists.findIndex((list) => list === undefined);
    const list: List = { node, seq, digest: new NamesDigest(), count: 0, state: "filling", lostAt: 0 };
    this.#lists[free < 0 ? this.#lists.length : free] = list;
  }

  #add(name: string, number: number, list: List): void {
    const present = this.#entries.get(name);
    const others = present === undefined ? [] : typeof present === "number" ? [present] : present;
    if (others.includes(number)) return;
    this.#entries.set(name, others.length === 0 ? number : [...others, number]);
    list.digest.toggle(name);
    list.count += 1;
    this.#options.onArrival(name);
  }

  #remove(name: string, number: number, list: List): void {
    const present = this.#entries.get(name);
    const numbers = present === undefined ? [] : typeof present === "number" ? [present] : present;
    if (!numbers.includes(number)) return;
    this.#keep(
      name,
      numbers.filter((each) => each !== number),
    );
    list.digest.toggle(name);
    list.count -= 1;
  }

  #keep(name: string, [first, ...others]: readonly number[]): void {
    if (first === undefined) this.#entries.delete(name);
    else this.#entries.set(name, others.length === 0 ? first : [first, ...others]);
  }

  #kill(list: List | undefined): void {
    if (!list || list.state === "dead") return;
    list.state = "dead";
    this.#isSweepDue = true;
    if (!this.#sweep) this.#startSweep();
  }

  /** Entries of dead lists are taken out, and then the numbers of those lists are free. */
  #startSweep(): void {
    this.#isSweepDue = false;
    this.#sweep = this.#entries.entries();
    const dead = this.#lists.flatMap((list, number) => (list?.state === "dead" ? [number] : []));
    this.#sweepOn(dead);
  }

  #sweepOn(dead: readonly number[]): void {
    for (let looked = 0; looked < limits.sweep.entries; looked++) {
      const next = this.#sweep?.next();
      if (!next || next.done) {
        this.#sweep = undefined;
        for (const number of dead) this.#lists[number] = undefined;
        if (this.#isSweepDue) this.#startSweep();
        return;
      }
      const [name, lists] = next.value;
      if (typeof lists === "number") {
        if (dead.includes(lists)) this.#entries.delete(name);
      } else if (lists.some((number) => dead.includes(number))) {
        this.#keep(
          name,
          lists.filter((number) => !dead.includes(number)),
        );
      }
    }
    this.#after(limits.sweep.pauseMs, () => this.#sweepOn(dead));
  }

  #after(delayMs: number, go: () => void): void {
    const timer = this.#options.clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      go();
    });
    this.#timers.add(timer);
  }
}
