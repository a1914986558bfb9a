import type { Clock, Timer } from "@porthole/common/util";
import type { Exposure } from "./exposure.ts";
import type { WorkspaceStore } from "./host.ts";
import { readRemembered, remember, type Remembered } from "./remembered.ts";

/** How often a window notes that it is still there, while it exposes something. */
const seenEveryMs = 60_000;

interface Present {
  readonly exposures: readonly Exposure[];
  readonly isTrial: boolean;
  /** Ids of ports that wait until another window lets go of them. */
  readonly waiting: ReadonlySet<string>;
}

/** Keeps what the window has over a reload. */
export class Memory {
  readonly #store: WorkspaceStore;
  readonly #clock: Clock;
  readonly #present: () => Present;
  #seen: Timer | undefined;

  constructor(store: WorkspaceStore, clock: Clock, present: () => Present) {
    this.#store = store;
    this.#clock = clock;
    this.#present = present;
  }

  /** Returns the state that the last window of this workspace left. */
  read(): Remembered | undefined {
    return readRemembered(this.#store.get());
  }

  /** Writes the present state. */
  async keep(): Promise<void> {
    const { exposures, isTrial, waiting } = this.#present();
    this.#seen?.cancel();
    if (waiting.size > 0 || exposures.some(({ phase }) => phase === "on"))
      this.#seen = this.#clock.timer(seenEveryMs, () => void this.keep().catch(() => {}));
    await this.#store.set(remember(exposures, { trial: isTrial, now: this.#clock.now(), waiting }));
  }

  close(): void {
    this.#seen?.cancel();
  }
}
