import { connectService, type LocalService } from "../../gateway/index.ts";
import type { Clock, Timer } from "@porthole/common/util";

/** How soon a service that was started is noticed. */
const lookAgainMs = 2_000;

export interface LocalWatchOptions {
  readonly service: () => LocalService;
  readonly clock: Clock;
  readonly onChange: () => void;
}

/**
 * Whether the local service accepts connections. It is looked at once in the beginning, and again and again only while it does not:
 * a service that runs is left alone, and the first visitor after its end reports it.
 */
export class LocalWatch {
  readonly #options: LocalWatchOptions;
  readonly #signal: AbortSignal;
  #isUp: boolean | undefined;
  #isLooking = false;
  #timer: Timer | undefined;

  constructor(options: LocalWatchOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#timer?.cancel(), { once: true });
    void this.#look();
  }

  /** Undefined before it has been looked at. */
  get isUp(): boolean | undefined {
    return this.#isUp;
  }

  /** A visitor has met a closed port, or it is another service now. Looks for itself. */
  suspect(): void {
    if (!this.#isLooking) void this.#look();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    if (this.#signal.aborted) return;
    this.#isLooking = true;
    this.#timer?.cancel();
    const { service, clock, onChange } = this.#options;
    const wasUp = this.#isUp;
    try {
      const socket = await connectService(service(), { clock, signal: this.#signal, alpn: undefined });
      socket.destroy();
      this.#isUp = true;
    } catch {
      if (this.#signal.aborted) return;
      this.#isUp = false;
      this.#timer = clock.timer(lookAgainMs, () => void this.#look());
    } finally {
      this.#isLooking = false;
    }
    if (this.#isUp !== wasUp) onChange();
  }
}
