import { readFileSync } from "node:fs";

/** Of a process's main thread. */
export interface ProcessorUse {
  /** As the system names it: R runs, or waits for a processor and nothing else. */
  readonly state: string;
  readonly usedMs: number;
}

/**
 * Tells a process that does nothing from one that is not let: of the time that passes, how much did it have? All of it, unless it wants
 * to run; then what it was given. One that hangs in a loop has all that a machine can spare, one that is stopped or waits for
 * what never comes does not want to run, and one that is starved gets older slowly.
 */
export class OwnTime {
  readonly #read: () => ProcessorUse | undefined;
  #usedMs: number | undefined;

  /** `read` answers undefined where nobody knows. */
  constructor(read: () => ProcessorUse | undefined) {
    this.#read = read;
  }

  /** Of so many milliseconds since the last call. */
  of(passedMs: number): number {
    const use = this.#read();
    const before = this.#usedMs;
    this.#usedMs = use?.usedMs;
    if (use?.state !== "R" || before === undefined) return passedMs;
    return Math.min(passedMs, use.usedMs - before);
  }
}

/** What Linux counts in, whatever its own clock is. */
const tickMs = 10;

/** Only on Linux, and only while there is such a process. */
export function processorUse(pid: number): ProcessorUse | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/task/${pid}/stat`, "latin1");
    // After the name, which may have spaces and brackets in it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", usedMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return undefined;
  }
}
