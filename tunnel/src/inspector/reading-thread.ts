import { existsSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { PortholeError } from "@porthole/common/errors";
import type { Clock, Timer } from "@porthole/common/util";
import { read, weightOf, type ReadingJob, type ReadingResults } from "./reading-jobs.ts";
import { Redactor } from "./redactor.ts";

/** Bytes that are read in a turn of the event loop. Of what visitors can send the worst takes a millisecond for four kilobytes. */
export const maxTurnBytes = 64 * 1024;
const idleMs = 30_000;
const jobDeadlineMs = 60_000;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: PortholeError) => void;
  readonly deadline: Timer;
}

/**
 * Reads recorded bodies and messages: small ones at once, others in a thread, because this process carries visitors' bytes in the meantime. The thread
 * begins with the first large job and ends when nothing was to be done for a while. The caller closes it.
 */
export class ReadingThread {
  readonly #clock: Clock;
  readonly #names: readonly string[];
  readonly #redactor: Redactor;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #idle: Timer | undefined;
  #lastId = 0;
  #isClosed = false;

  /** `names`: what is taken out besides what always is. */
  constructor(clock: Clock, names: readonly string[]) {
    this.#clock = clock;
    this.#names = names;
    this.#redactor = new Redactor(names);
  }

  read<K extends ReadingJob["kind"]>(job: Extract<ReadingJob, { readonly kind: K }>): Promise<ReadingResults[K]> {
    const entry = weightOf(job) > maxTurnBytes ? workerEntry() : undefined;
    // A bundle that was copied without its second file reads all by itself.
    if (entry === undefined) return read<K>(job, this.#redactor);
    if (this.#isClosed) return Promise.reject(new PortholeError("aborted", "The inspector is closed"));
    this.#idle?.cancel();
    const worker = (this.#worker ??= this.#start(entry));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const deadline = this.#clock.timer(jobDeadlineMs, () => {
        void this.#end(new PortholeError("timeout", "Reading what was recorded took too long"));
      });
      this.#waiting.set(id, { resolve, reject, deadline });
      worker.postMessage({ id, job });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#end(new PortholeError("aborted", "The inspector is closed"));
  }

  #start(entry: string): Worker {
    const worker = new Worker(entry, { workerData: { names: this.#names } });
    worker.on("message", ({ id, result, failure }: { id: number; result: never; failure?: string }) => {
      const waiting = this.#waiting.get(id);
      if (!waiting) return;
      this.#waiting.delete(id);
      waiting.deadline.cancel();
      if (failure === undefined) waiting.resolve(result);
      else waiting.reject(new PortholeError("internal", failure));
      if (this.#waiting.size === 0) this.#rest();
    });
    const onEnd = (cause?: Error): void => {
      if (this.#worker === worker)
        void this.#end(new PortholeError("internal", "The thread that reads what was recorded has ended", { cause }));
    };
    worker.on("error", onEnd).on("exit", () => onEnd());
    return worker;
  }

  #rest(): void {
    this.#idle?.cancel();
    this.#idle = this.#clock.timer(idleMs, () => void this.#end(new PortholeError("aborted", "Nothing is to be read")));
  }

  async #end(reason: PortholeError): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#idle?.cancel();
    for (const { reject, deadline } of this.#waiting.values()) {
      deadline.cancel();
      reject(reason);
    }
    this.#waiting.clear();
    await worker?.terminate();
  }
}

/** The thread's program: beside this file, in the sources as in `dist`; a bundle (`.mjs`, esbuild.config.mjs) has it in a file of its own. */
function workerEntry(): string | undefined {
  const extension = extname(import.meta.url);
  const name = extension === ".mjs" ? "porthole-reading.mjs" : `reading-worker${extension}`;
  const path = fileURLToPath(new URL(name, import.meta.url));
  return existsSync(path) ? path : undefined;
}
