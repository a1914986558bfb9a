/** Characters that are read in a turn of the event loop; the worst of what visitors send takes a millisecond for four thousand. */
const turnWork = 64 * 1024;
/** Work for the head of one exchange, in characters. */
export const headsWork = 2 * 1024;

/** Counts work, and lets the event loop have its turn after a fixed amount of it. */
export class Pace {
  #work = 0;

  /** To be awaited between two pieces of work. Undefined while the turn may continue. */
  spend(work: number): Promise<void> | undefined {
    this.#work += work;
    if (this.#work < turnWork) return undefined;
    this.#work = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }
}
