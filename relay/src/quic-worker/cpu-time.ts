import { readdirSync, readFileSync } from "node:fs";

export interface ProcessorUse {
  /** As the system names it: R runs, or waits for a processor and nothing else; of a process, when one of its threads does. */
  readonly state: string;
  /** The time of all its threads. */
  readonly usedMs: number;
}

/**
 * Distinguishes a hung process from a starved one by comparing wall time with CPU time. A process that does not want to run is charged
 * all of the time that passes; one that does, what it was given. One that hangs in a loop has all that a machine can spare, one that is stopped or waits for
 * what never comes does not want to run, and one that is starved gets older slowly.
 */
export class CpuTime {
  readonly #read: () => ProcessorUse | undefined;
  #usedMs: number | undefined;

  /** `read` returns undefined where the times are not known. */
  constructor(read: () => ProcessorUse | undefined) {
    this.#read = read;
  }

  /** Returns the share of the given milliseconds since the last call. */
  of(passedMs: number): number {
    const use = this.#read();
    const before = this.#usedMs;
    this.#usedMs = use?.usedMs;
    if (use?.state !== "R" || before === undefined) return passedMs;
    return Math.min(passedMs, use.usedMs - before);
  }
}

/** Linux's unit for processor time in /proc (USER_HZ), in milliseconds. */
const tickMs = 10;

/** Only on Linux, and only while there is such a process. One of its threads may wait for another that wants to run. */
export function processorUse(pid: number): ProcessorUse | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const whole = readStat(`/proc/${pid}/stat`);
    const threads = readdirSync(`/proc/${pid}/task`).map((id) => readStat(`/proc/${pid}/task/${id}/stat`));
    return threads.some(({ state }) => state === "R") ? { ...whole, state: "R" } : whole;
  } catch {
    return undefined;
  }
}

/** Reads the times of a process, with all its threads, or of one thread. */
function readStat(path: string): ProcessorUse {
  const stat = readFileSync(path, "latin1");
  // After the name, which may have spaces and brackets in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", usedMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
}
