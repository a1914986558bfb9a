import type { Clock } from "@porthole/common/util";
import { Rates } from "./rates.ts";
import type { LimitName, OnLimit, RelayLimits } from "./relay-limits.ts";
import { showSource, sourceOf } from "@porthole/common/protocol";
import { Counter } from "./counter.ts";

export interface VisitorGateOptions {
  readonly clock: Clock;
  readonly limits: () => RelayLimits;
  readonly onLimit: OnLimit;
}

/** One visitor's connection. */
export interface VisitorSlot {
  /** Call it when the ClientHello is here, or will not come. */
  heard(): void;
  /** Whether one more may go to the client with this host name; it counts until `left`. */
  mayVisit(hostname: string): boolean;
  /** It is gone. */
  left(): void;
}

/** Decides which visitors' connections are read from, and how many one name gets. */
export class VisitorGate {
  readonly #options: VisitorGateOptions;
  readonly #perAddress: Rates;
  readonly #perName: Rates;
  readonly #bySource = new Counter();
  readonly #byName = new Counter();
  /** Visitors in the handshake phase, the oldest first. Each function drops its visitor. */
  readonly #pending = new Set<() => void>();
  /** Visitors in the order in which they came. */
  readonly #present = new Set<number>();
  #lastNumber = 0;

  constructor(options: VisitorGateOptions) {
    this.#options = options;
    this.#perAddress = new Rates(options.clock, () => options.limits().visitorsPerAddress);
    this.#perName = new Rates(options.clock, () => options.limits().visitorsPerName);
  }

  /** Visitors whose ClientHello is not here yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** How many there were so far: the number of the last one. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** The number of the visitor that has been here for longest. */
  get oldest(): number | undefined {
    const [oldest] = this.#present;
    return oldest;
  }

  /** Whether one more may come from there now; asked once for each connection. */
  admits(address: string | undefined): boolean {
    const source = sourceOf(address);
    const obstacle = this.#obstacleFrom(source);
    if (obstacle) this.#options.onLimit(obstacle, showSource(source));
    return obstacle === undefined;
  }

  /** A new connection that was admitted. `giveUp` is called when others need its place before its ClientHello is there. */
  enter(address: string | undefined, giveUp: () => void): VisitorSlot {
    const source = sourceOf(address);
    if (this.#pending.size >= this.#options.limits().maxPendingHellos) this.#evict();
    this.#pending.add(giveUp);
    const number = ++this.#lastNumber;
    this.#present.add(number);
    this.#bySource.add(source);
    let hostname: string | undefined;
    let isOver = false;
    return {
      heard: () => void this.#pending.delete(giveUp),
      mayVisit: (wanted) => {
        const obstacle = this.#obstacleTo(wanted);
        if (obstacle) {
          this.#options.onLimit(obstacle, wanted);
          return false;
        }
        hostname = wanted;
        this.#byName.add(wanted);
        return true;
      },
      left: () => {
        if (isOver) return;
        isOver = true;
        this.#present.delete(number);
        this.#bySource.remove(source);
        this.#pending.delete(giveUp);
        if (hostname !== undefined) this.#byName.remove(hostname);
      },
    };
  }

  #obstacleFrom(source: string): LimitName | undefined {
    const { maxVisitors, streamsPerAddress } = this.#options.limits();
    if (maxVisitors > 0 && this.#present.size >= maxVisitors) return "max-visitors";
    if (streamsPerAddress > 0 && this.#bySource.of(source) >= streamsPerAddress) return "streams-per-address";
    return this.#perAddress.take(source) ? undefined : "visitors-per-address";
  }

  #obstacleTo(hostname: string): LimitName | undefined {
    const { streamsPerClient } = this.#options.limits();
    if (streamsPerClient > 0 && this.#byName.of(hostname) >= streamsPerClient) return "streams-per-client";
    return this.#perName.take(hostname) ? undefined : "visitors-per-name";
  }

  /** An honest visitor's ClientHello is here within a round trip; who fills the places does not send one. */
  #evict(): void {
    const [longest] = this.#pending;
    if (!longest) return;
    this.#pending.delete(longest);
    this.#options.onLimit("pending-hellos", "");
    longest();
  }
}
