import cluster, { type Worker } from "node:cluster";
import type { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock, type Timer } from "@porthole/common/util";
import { limits } from "./limits.ts";
import {
  readPlainError,
  type Answers,
  type FromWorker,
  type Question,
  type ToWorker,
  type WorkerFacts,
  type WorkerStart,
} from "./wire.ts";

export interface WorkerProcessOptions {
  readonly start: WorkerStart;
  readonly clock: Clock;
  /** It serves. */
  readonly onReady: (facts: WorkerFacts) => void;
  readonly onMessage: (message: Extract<FromWorker, { type: "quic" | "event" }>) => void;
  /** Once, when the process is gone. `why` completes "Worker 2 ..."; the error is its own word, if it could not start. */
  readonly onEnd: (why: string, error: PortholeError | undefined) => void;
}

/** One life of a worker. */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions;
  readonly #worker: Worker;
  readonly #asked = new Map<number, (message: Extract<FromWorker, { type: "answer" }>) => void>();
  readonly #gone: Promise<void>;
  #facts: WorkerFacts | undefined;
  #error: PortholeError | undefined;
  #lastId = 0;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    this.#worker = cluster.fork();
    this.#gone = new Promise((resolve) => {
      this.#worker.on("exit", (code, signal) => {
        resolve();
        for (const answer of this.#asked.values())
          answer({ type: "answer", id: 0, error: { code: "closed", message: "The worker has ended" } });
        options.onEnd(signal ? `was ended by ${signal}` : `ended with status ${code}`, this.#error);
      });
    });
    this.#worker.on("error", () => {}); // a channel that is gone; the exit comes next
    this.#worker.on("message", (message: FromWorker) => this.#heed(message));
    this.send({ type: "start", ...options.start });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  /** Undefined until it serves. */
  get facts(): WorkerFacts | undefined {
    return this.#facts;
  }

  send(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message, () => {});
  }

  /** Rejects with the worker's error, `timeout`, or `closed` when it ends. */
  async ask<Q extends Question>(question: Q): Promise<Answers[Q["is"]]> {
    const id = ++this.#lastId;
    const what = "The answer of a worker";
    try {
      const { answer, error } = await withDeadline(
        { clock: this.#options.clock, delayMs: limits.answerMs, what },
        () =>
          new Promise<Extract<FromWorker, { type: "answer" }>>((resolve) => {
            this.#asked.set(id, resolve);
            this.send({ type: "ask", id, question });
          }),
      );
      if (error) throw readPlainError(error);
      return answer as Answers[Q["is"]];
    } finally {
      this.#asked.delete(id);
    }
  }

  /** Ends it; its visitors may finish first, for as long as its limits say. */
  async end(patienceMs: number): Promise<void> {
    const { clock } = this.#options;
    this.send({ type: "drain" });
    const timer: Timer = clock.timer(patienceMs + limits.endMs, () => this.#worker.process.kill("SIGKILL"));
    await this.#gone;
    timer.cancel();
  }

  #heed(message: FromWorker): void {
    switch (message.type) {
      case "ready":
        this.#facts = message;
        return this.#options.onReady(message);
      case "failed":
        this.#error = readPlainError(message.error);
        return;
      case "answer":
        return this.#asked.get(message.id)?.(message);
      default:
        return this.#options.onMessage(message);
    }
  }
}
