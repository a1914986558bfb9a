import { isHeldBy, type Clock, type Timer } from "@porthole/common/util";
import type { TunnelSpec } from "../contract/index.ts";

export type Lease = NonNullable<TunnelSpec["lease"]>;

/** A process that took a lock over uses it a second later at the earliest, so several looks fit in. */
const lookMs = 250;

export interface LeaseWatchOptions {
  readonly clock: Clock;
  /** Every lease that matters now, by its tunnel's id. */
  readonly leases: () => readonly (readonly [string, Lease])[];
  /** Another process has the tunnel's lease, or nobody. May be called again until the lease is no longer listed. */
  readonly onLost: (id: string, lease: Lease) => void;
}

/**
 * Looks at the leases of tunnels four times a second while there are any. A file that can't be read decides nothing: a full table of
 * files is no take-over.
 */
export class LeaseWatch {
  readonly #options: LeaseWatchOptions;
  #timer: Timer | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(options: LeaseWatchOptions) {
    this.#options = options;
  }

  /** A tunnel with a lease may have been added. */
  wake(): void {
    if (!this.#timer && !this.#isLooking) void this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { clock, leases, onLost } = this.#options;
    this.#isLooking = true;
    this.#timer = undefined;
    for (const [id, lease] of leases())
      if (!(await isHeldBy(lease.path, lease.holder).catch(() => true)) && !this.#isClosed) onLost(id, lease);
    this.#isLooking = false;
    if (this.#isClosed || leases().length === 0) return;
    this.#timer = clock.timer(lookMs, () => void this.#look());
  }
}
