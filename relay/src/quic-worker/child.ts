import { fork, type ChildProcess } from "node:child_process";
import type { Clock, Timer } from "@porthole/common/util";
import { workerLimits } from "./limits.ts";
import { residentBytes } from "./memory.ts";
import { CpuTime, processorUse } from "./cpu-time.ts";
import type { FromWorker, WorkerStart, ToWorker } from "./wire.ts";

export interface WorkerChildOptions {
  /** The program. */
  readonly entry: string;
  readonly start: WorkerStart;
  readonly memoryCapBytes: number;
  readonly clock: Clock;
  readonly onMessage: (message: FromWorker) => void;
  /** Once, when the process is gone. `why` completes "The QUIC worker ...". */
  readonly onEnd: (why: string) => void;
}

const tickMs = 250;
/** How long it may take to say goodbye to its clients. */
const stopMs = 3_000;
/**
 * V8 lets the space of new objects grow to 100 MiB and more before it collects. Ours live for one turn, and a small space is
 * as fast (docs/decisions/idle-client-memory.md).
 */
const semiSpace = "--max-semi-space-size=4";
/** The parts of our environment that the process gets. The rest may hold secrets, and the engine is what we trust least. Electron is no Node without its variable. */
const passedOn = /^(PATH|HOME|USERPROFILE|SystemRoot|TMPDIR|TMP|TEMP|LD_LIBRARY_PATH|NODE_.*|ELECTRON_RUN_AS_NODE)$/;

/** One life of the QUIC worker's process, under watch from its start: it is killed when it is silent or too large. */
export class WorkerChild {
  readonly #options: WorkerChildOptions;
  readonly #process: ChildProcess;
  readonly #gone: Promise<void>;
  #timer: Timer | undefined;
  readonly #cpuTime = new CpuTime(() => (this.pid === undefined ? undefined : processorUse(this.pid)));
  /** Whole ticks, not time: what we miss when our own process stands still is not the QUIC worker's fault. */
  #silentMs = 0;
  /** The part of the silence in which it had processor time. A machine that leaves it none is not its fault. */
  #idleMs = 0;
  #hasSpoken = false;
  #why: string | undefined;
  #rssBytes = 0;

  constructor(options: WorkerChildOptions) {
    this.#options = options;
    this.#process = fork(options.entry, {
      // A debugger's port can't be shared; everything else (conditions, hooks) holds for both.
      execArgv: [semiSpace, ...process.execArgv.filter((arg) => !arg.startsWith("--inspect"))],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => passedOn.test(name))),
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    let resolveGone = (): void => {};
    this.#gone = new Promise((resolve) => {
      resolveGone = resolve;
    });
    const onGone = (why: string): void => {
      this.#timer?.cancel();
      resolveGone();
      options.onEnd(this.#why ?? why);
    };
    // What it has said is read before its end is told.
    const onExit = (why: string): void => {
      if (this.#process.connected) this.#process.once("disconnect", () => onGone(why));
      else onGone(why);
    };
    this.#process.on("message", (message: FromWorker) => {
      this.#silentMs = 0;
      this.#idleMs = 0;
      this.#hasSpoken = true;
      options.onMessage(message);
    });
    this.#process.on("exit", (code, signal) => onExit(signal ? `was ended by ${signal}` : `ended with status ${code}`));
    this.#process.on("error", (reason) => {
      if (this.#process.pid === undefined) onGone(`can't be started: ${reason.message}`);
    });
    this.send({ type: "start", ...options.start });
    this.#timer = options.clock.timer(tickMs, this.#tick);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get rssBytes(): number {
    return this.#rssBytes;
  }

  send(message: ToWorker): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** Lets it close its links, and resolves when the process is gone. */
  async stop(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const deadline = this.#options.clock.timer(stopMs, () => this.#kill("did not stop"));
    await this.#gone;
    deadline.cancel();
  }

  readonly #tick = (): void => {
    this.#timer = this.#options.clock.timer(tickMs, this.#tick);
    this.#silentMs += tickMs;
    this.#idleMs += this.#cpuTime.of(tickMs);
    const patienceMs = this.#hasSpoken ? workerLimits.silenceMs : workerLimits.startMs;
    if (this.#idleMs > patienceMs || this.#silentMs > workerLimits.starvedMs) {
      // What it has said while we were busy is read first.
      setImmediate(() => {
        if (this.#silentMs > 0) this.#kill(`was silent for ${this.#silentMs / 1_000} s`);
      });
    }
    if (this.#process.pid !== undefined) void this.#weigh(this.#process.pid);
  };

  async #weigh(pid: number): Promise<void> {
    const bytes = await residentBytes(pid);
    if (bytes !== undefined) this.weighed(bytes);
  }

  /** Notes the process's resident memory, as reported by itself or by the system. */
  weighed(bytes: number): void {
    this.#rssBytes = bytes;
    const { memoryCapBytes } = this.#options;
    if (bytes > memoryCapBytes)
      this.#kill(`used ${mebibytes(bytes)} MiB of memory, more than the ${mebibytes(memoryCapBytes)} that it may`);
  }

  #kill(why: string): void {
    this.#why ??= why;
    this.#process.kill("SIGKILL");
  }
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
