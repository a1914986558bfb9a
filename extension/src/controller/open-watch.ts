import { connect } from "node:net";
import type { Clock, Timer } from "@porthole/common/util";

const lookMs = 2_000;
const connectMs = 1_000;

export interface OpenWatchOptions {
  readonly clock: Clock;
  /** Ports of this machine to watch now. */
  readonly ports: () => readonly number[];
  /** The port was closed at the last look, and accepts connections now. */
  readonly onOpen: (port: number) => void;
}

/** Reports ports that open. One that is open at the first look is not reported: nobody knows since when it is. */
export class OpenWatch {
  readonly #options: OpenWatchOptions;
  readonly #closed = new Set<number>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: OpenWatchOptions) {
    this.#options = options;
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { clock, ports, onOpen } = this.#options;
    const watched = ports();
    for (const port of this.#closed) if (!watched.includes(port)) this.#closed.delete(port);
    await Promise.all(
      watched.map(async (port) => {
        const isUp = await isOpen(port, clock);
        if (this.#isClosed) return;
        if (!isUp) this.#closed.add(port);
        else if (this.#closed.delete(port)) onOpen(port);
      }),
    );
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.timer(lookMs, () => void this.look().finally(() => this.#arm()));
  }
}

function isOpen(port: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "localhost", port });
    const deadline = clock.timer(connectMs, () => end(false));
    const end = (isUp: boolean): void => {
      deadline.cancel();
      socket.destroy();
      resolve(isUp);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
