import { PortholeError } from "@porthole/common/errors";
import type { DaemonConnection, InitializeResult } from "@porthole/tunnel/rpc";
import { Backoff, type Clock, type Timer } from "@porthole/common/util";

/** How the process that runs the tunnels is doing. */
export type DaemonStatus =
  | { readonly status: "off" }
  | { readonly status: "starting" }
  | { readonly status: "running"; readonly info: InitializeResult; readonly pid: number | undefined }
  /** It has died, or could not be started; it is started again at this time (milliseconds since 1970). */
  | { readonly status: "waiting"; readonly error: PortholeError; readonly nextAttemptAt: number };

/** A started daemon: initialized, and gone when `closed` resolves. */
export interface RunningDaemon {
  readonly connection: DaemonConnection;
  readonly info: InitializeResult;
  readonly pid: number | undefined;
}

export interface DaemonSupervisorDeps {
  readonly clock: Clock;
  /** Starts the process and introduces us. Rejects when either fails, with nothing left then. */
  readonly start: (signal: AbortSignal) => Promise<RunningDaemon>;
  /** A new daemon is there and knows nothing. */
  readonly onRunning: (daemon: RunningDaemon) => void;
  readonly onStatus: (status: DaemonStatus) => void;
  readonly random?: () => number;
}

const backoff = { firstMs: 1_000, maxMs: 30_000 };
/** A daemon that lived this long was no failed start. */
const stableAfterMs = 60_000;

/** Keeps one daemon process running from the first call that needs it until `close`. */
export class DaemonSupervisor {
  readonly #deps: DaemonSupervisorDeps;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  #status: DaemonStatus = { status: "off" };
  #current: Promise<RunningDaemon> | undefined;
  #connection: DaemonConnection | undefined;
  #timer: Timer | undefined;

  constructor(deps: DaemonSupervisorDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff({ ...backoff, ...(deps.random ? { random: deps.random } : {}) });
  }

  get status(): DaemonStatus {
    return this.#status;
  }

  /** The running daemon, started if it is not. Rejects with why it can't be, and keeps trying by itself. */
  daemon(): Promise<RunningDaemon> {
    if (this.#stop.signal.aborted) return Promise.reject(new PortholeError("aborted", "The window is closing"));
    this.#current ??= this.#start();
    return this.#current;
  }

  /** The daemon that runs now, if one does. */
  get connection(): DaemonConnection | undefined {
    return this.#connection;
  }

  /** Ends a daemon that was started for a world that is no more; its successor comes as after a crash. */
  async replace(): Promise<void> {
    const running = await this.#current?.catch(() => undefined);
    running?.connection.close();
  }

  /** Ends the daemon, which stops its tunnels. Resolves when it is gone. */
  async close(): Promise<void> {
    this.#stop.abort(new PortholeError("aborted", "The window is closing"));
    this.#timer?.cancel();
    const current = this.#current;
    this.#current = undefined;
    const running = await current?.catch(() => undefined);
    running?.connection.close();
    await running?.connection.closed;
    this.#setStatus({ status: "off" });
  }

  async #start(): Promise<RunningDaemon> {
    this.#timer?.cancel();
    this.#setStatus({ status: "starting" });
    const { clock, start, onRunning } = this.#deps;
    const startedAt = clock.monotonic();
    try {
      const running = await start(this.#stop.signal);
      void running.connection.closed.then((reason) => {
        if (clock.monotonic() - startedAt >= stableAfterMs) this.#backoff.reset();
        this.#connection = undefined;
        this.#onGone(reason);
      });
      this.#connection = running.connection;
      this.#setStatus({ status: "running", info: running.info, pid: running.pid });
      onRunning(running);
      return running;
    } catch (reason) {
      const error = PortholeError.from(reason);
      this.#onGone(error);
      throw error;
    }
  }

  #onGone(error: PortholeError): void {
    this.#current = undefined;
    if (this.#stop.signal.aborted) return;
    const { clock } = this.#deps;
    const delayMs = this.#backoff.next();
    this.#timer = clock.timer(delayMs, () => void this.daemon().catch(() => {}));
    this.#setStatus({ status: "waiting", error, nextAttemptAt: clock.now() + delayMs });
  }

  #setStatus(status: DaemonStatus): void {
    this.#status = status;
    this.#deps.onStatus(status);
  }
}
