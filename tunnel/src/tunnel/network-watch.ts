import { networkInterfaces, type NetworkInterfaceInfo } from "node:os";
import type { Clock, Timer } from "@porthole/common/util";

export type Interfaces = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

export interface NetworkWatchOptions {
  readonly clock: Clock;
  /** The machine's network interfaces; its own ones if absent. */
  readonly interfaces?: Interfaces | undefined;
  readonly onChange: (what: string) => void;
}

/** A look costs some tens of microseconds. */
const lookMs = 2_000;
/** Timers are late by a second or two on a machine that is busy, and not by more. */
const sleptMs = 10_000;

/**
 * Notices that this machine is in another network (its addresses have changed) or was not running for a while (asleep, or stopped).
 * Polls, because no platform's notification is within reach of Node.
 */
export class NetworkWatch {
  readonly #options: NetworkWatchOptions;
  #addresses: string;
  #timer: Timer;
  #wallMs: number;
  #monotonicMs: number;

  constructor(options: NetworkWatchOptions) {
    this.#options = options;
    this.#addresses = this.#read();
    this.#wallMs = options.clock.now();
    this.#monotonicMs = options.clock.monotonic();
    this.#timer = options.clock.timer(lookMs, this.#look);
  }

  stop(): void {
    this.#timer.cancel();
  }

  readonly #look = (): void => {
    const { clock, onChange } = this.#options;
    const [wallMs, monotonicMs] = [clock.now(), clock.monotonic()];
    // The monotonic clock stands still in a sleep on some platforms; the wall clock jumps when somebody sets it.
    const passedMs = Math.max(wallMs - this.#wallMs, monotonicMs - this.#monotonicMs);
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    const before = this.#addresses;
    this.#addresses = this.#read();
    this.#timer = clock.timer(lookMs, this.#look);
    if (before !== this.#addresses) onChange("The network has changed");
    else if (passedMs > lookMs + sleptMs) onChange("This machine was asleep");
  };

  /** Addresses that may lead to a relay, in a text that can be compared. */
  #read(): string {
    const interfaces = (this.#options.interfaces ?? networkInterfaces)();
    return Object.entries(interfaces)
      .flatMap(([name, addresses = []]) =>
        addresses
          .filter(({ internal, address }) => !internal && !isLinkLocal(address))
          .map(({ address, netmask }) => `${name} ${address} ${netmask}`),
      )
      .toSorted()
      .join("\n");
  }
}

/** They come and go with each interface, and lead nowhere. */
function isLinkLocal(address: string): boolean {
  return /^(fe[89ab]|169\.254\.)/i.test(address);
}
