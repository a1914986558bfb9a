import cluster from "node:cluster";
import { randomBytes, randomUUID } from "node:crypto";
import { AggregatorRegistry } from "prom-client";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { Backoff, type Clock, type Timer } from "@porthole/common/util";
import type { Events, EventsAnswer, EventsPosition } from "../monitoring/events.ts";
import type { RelayReport } from "../monitoring/report.ts";
import { limits } from "./limits.ts";
import { mergeReports } from "./merge-reports.ts";
import type { Answers, Question, WorkerFacts } from "./wire.ts";
import { WorkerProcess } from "./worker-process.ts";

export interface SupervisorOptions {
  readonly count: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: Events;
  /** Whether workers tell each other who they are by the supervisor; otherwise their cluster's engine does. */
  readonly introduces: boolean;
  /** For how long a worker's visitors may finish. */
  readonly drainMs: () => number;
  readonly adminPort: () => number | undefined;
}

interface Seat {
  readonly index: number;
  readonly backoff: Backoff;
  process: WorkerProcess | undefined;
  restarts: number;
  timer: Timer | undefined;
}

/**
 * A relay of several processes: starts them, starts another one when one ends, and speaks for all. Connections are handed out by
 * Node's cluster module, which has the ports; a connection that a worker has is that worker's alone. The caller closes it.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #seats: readonly Seat[];
  readonly #start = { instance: randomUUID(), ticketSecret: randomBytes(32).toString("hex") };
  #isEnding = false;
  #isQuicUp = false;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    const seat = (index: number): Seat => ({
      ...{ index, backoff: new Backoff(limits.restart) },
      ...{ process: undefined, restarts: 0, timer: undefined },
    });
    this.#seats = Array.from({ length: options.count }, (_, index) => seat(index));
  }

  /** Resolves when all serve. Rejects with the error of the first one that can't, and has ended all then. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const [, program, ...args] = process.argv;
    cluster.setupPrimary({ ...(program === undefined ? {} : { exec: program }), args, serialization: "advanced" });
    const supervisor = new Supervisor(options);
    try {
      // The first one makes what is missing in the state folder.
      for (const seats of [supervisor.#seats.slice(0, 1), supervisor.#seats.slice(1)])
        await Promise.all(seats.map((seat) => supervisor.#run(seat)));
    } catch (reason) {
      await supervisor.close();
      throw reason;
    }
    return supervisor;
  }

  /** The ports and the fingerprint of the first worker. The others have the same. */
  get facts(): WorkerFacts {
    const facts = this.#seats.map((seat) => seat.process?.facts).find((each) => each !== undefined);
    if (!facts) throw new PortholeError("busy", "No worker serves now");
    return facts;
  }

  async report(): Promise<RelayReport> {
    const answers = await this.#askAll({ is: "report" });
    if (answers.length === 0) throw new PortholeError("busy", "No worker serves now; try again in a moment");
    const workers = this.#seats.map(({ index, process, restarts }) => {
      const report = answers.find(({ seat }) => seat === index)?.answer;
      return { index, pid: process?.pid, restarts, report };
    });
    return mergeReports(workers, { isDraining: this.#isEnding, admin: this.#options.adminPort() });
  }

  /** The figures of all workers as one, in Prometheus' text format. */
  async metrics(): Promise<string> {
    const answers = await this.#askAll({ is: "metrics" });
    return AggregatorRegistry.aggregate(answers.map(({ answer }) => answer as never)).metrics();
  }

  events(position?: Partial<EventsPosition>): EventsAnswer {
    return this.#options.events.since(position);
  }

  async disconnect(key: string): Promise<number> {
    const answers = await this.#askAll({ is: "disconnect", key });
    return answers.reduce((sum, { answer }) => sum + answer, 0);
  }

  async unblock(address: string): Promise<boolean> {
    const answers = await this.#askAll({ is: "unblock", address });
    return answers.some(({ answer }) => answer);
  }

  /** Returns the names of settings that need a restart. Rejects with the error of a worker that can't, and the others have done it then. */
  async reload(): Promise<readonly string[]> {
    const running = this.#seats.flatMap(({ process }) => (process?.facts ? [process] : []));
    const settings = await Promise.all(running.map((process) => process.ask({ is: "reload" })));
    return [...new Set(settings.flat())];
  }

  /** Lets visitors finish, then ends all workers. With the signal it ends them at once. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#isEnding = true;
    const running = this.#seats.flatMap(({ process }) => (process ? [process] : []));
    const hurry = (): void => running.forEach((process) => process.send({ type: "hurry" }));
    signal.addEventListener("abort", hurry, { once: true });
    await this.#end(this.#options.drainMs());
    signal.removeEventListener("abort", hurry);
  }

  async close(): Promise<void> {
    this.#isEnding = true;
    const running = this.#seats.flatMap(({ process }) => (process ? [process] : []));
    for (const process of running) process.send({ type: "hurry" });
    await this.#end(0);
  }

  async #end(patienceMs: number): Promise<void> {
    for (const seat of this.#seats) seat.timer?.cancel();
    const running = this.#seats.flatMap(({ process }) => (process ? [process] : []));
    await Promise.all(running.map((process) => process.end(patienceMs)));
  }

  /** Those that serve; one that does not answer is left out, because the others still can be shown. */
  async #askAll<Q extends Question>(
    question: Q,
  ): Promise<{ readonly seat: number; readonly answer: Answers[Q["is"]] }[]> {
    const asked = this.#seats.map(async ({ index, process }) => {
      if (!process?.facts) return undefined;
      try {
        return { seat: index, answer: await process.ask(question) };
      } catch (reason) {
        this.#options.log.warn({ worker: index }, PortholeError.from(reason).message);
        return undefined;
      }
    });
    return (await Promise.all(asked)).filter((each) => each !== undefined);
  }

  /** Resolves when it serves for the first time. Rejects when it ends before. */
  #run(seat: Seat): Promise<void> {
    const { clock, log, events } = this.#options;
    return new Promise((resolve, reject) => {
      let stable: Timer | undefined;
      seat.process = new WorkerProcess({
        ...{ start: { index: seat.index, ...this.#start }, clock },
        onReady: () => {
          stable = clock.timer(limits.stableAfterMs, () => seat.backoff.reset());
          if (seat.restarts > 0) log.info({ worker: seat.index, restarts: seat.restarts }, "A worker is up again");
          this.#introduce();
          seat.process?.send({ type: "quic", isUp: this.#isQuicUp });
          resolve();
        },
        onMessage: (message) => {
          if (message.type === "event") return events.record(message.event);
          this.#setQuic(message.isUp);
        },
        onEnd: (why, error) => {
          stable?.cancel();
          const wasReady = seat.process?.facts !== undefined;
          seat.process = undefined;
          if (seat.index === 0) this.#setQuic(false);
          const reason = error ?? new PortholeError("closed", `Worker ${seat.index} ${why}`);
          if (!wasReady) reject(reason);
          if (this.#isEnding || (!wasReady && seat.restarts === 0)) return;
          this.#restart(seat, reason);
        },
      });
    });
  }

  #restart(seat: Seat, { message, hint }: PortholeError): void {
    const { clock, log } = this.#options;
    seat.restarts += 1;
    const delayMs = seat.backoff.next();
    log.error({ worker: seat.index, restarts: seat.restarts, delayMs, hint }, `${message}; another one is started`);
    seat.timer = clock.timer(delayMs, () => void this.#run(seat).catch(() => {}));
  }

  #introduce(): void {
    if (!this.#options.introduces) return;
    const running = this.#seats.flatMap(({ process }) => (process?.facts ? [{ process, ...process.facts }] : []));
    const peers = running.map(({ peer }) => peer);
    for (const { process } of running) process.send({ type: "peers", peers });
  }

  #setQuic(isUp: boolean): void {
    if (this.#isQuicUp === isUp) return;
    this.#isQuicUp = isUp;
    for (const { process } of this.#seats) process?.send({ type: "quic", isUp });
  }
}
