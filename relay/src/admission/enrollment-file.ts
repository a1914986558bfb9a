import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { lockFile, readJson, whileHeld, writeJson, type Clock } from "@porthole/common/util";
import { watchFiles } from "../config/watch-files.ts";
import type { Ledger } from "./ledger.ts";
import { noEnrollments, pruned, type Enrollments } from "./enrollments.ts";
import { readEnrollments } from "./read-enrollments.ts";

export interface EnrollmentFileContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The enrollments on disk, which a running relay and the commands share. */
export class EnrollmentFile implements Ledger<Enrollments> {
  readonly #path: string;
  readonly #context: EnrollmentFileContext;
  readonly #stop = new AbortController();
  #enrollments: Enrollments;
  #updates = 0;
  /** Identifies the file's version at the last refresh. */
  #stamp = "";
  #reading: Promise<unknown> = Promise.resolve();
  #watching: Promise<unknown> = Promise.resolve();

  private constructor(path: string, context: EnrollmentFileContext, enrollments: Enrollments) {
    this.#path = path;
    this.#context = context;
    this.#enrollments = enrollments;
  }

  /** Rejects with `state` when the file is damaged; none is an empty enrollments. */
  static async open(path: string, context: EnrollmentFileContext): Promise<EnrollmentFile> {
    return new EnrollmentFile(path, context, await read(path));
  }

  /** As of the last reading or writing. */
  get state(): Enrollments {
    return this.#enrollments;
  }

  /**
   * Changes the enrollments as it is on disk by then, one change at a time for all processes. What counts is written before it resolves;
   * what `change` throws leaves everything as it was.
   */
  async update(
    change: (enrollments: Enrollments, now: number) => Enrollments,
    signal: AbortSignal,
  ): Promise<Enrollments> {
    const lock = await lockFile(`${this.#path}.lock`, this.#context.clock, signal);
    return whileHeld(lock, signal, async (within) => {
      const before = await read(this.#path);
      const now = this.#context.clock.now();
      const after = change(before, now);
      within.throwIfAborted();
      if (after !== before) await writeJson(this.#path, pruned(after, now));
      this.#enrollments = after;
      this.#updates += 1;
      return after;
    });
  }

  /** Strangers cause it: a file that has not changed is not read. */
  async refresh(): Promise<void> {
    const stats = await stat(this.#path).catch(() => undefined);
    const stamp = stats ? `${stats.ino} ${stats.mtimeMs} ${stats.size}` : "";
    if (stamp === this.#stamp) return;
    await this.reread();
    this.#stamp = stamp;
  }

  /** Takes over what is on disk by now; resolves to whether that is news. Rejects with `state` when it is damaged, and keeps what was known. */
  reread(): Promise<boolean> {
    // One after the other, or one that began earlier could end later.
    const reading = this.#reading.then(() => this.#reread());
    this.#reading = reading.catch(() => {});
    return reading;
  }

  async #reread(): Promise<boolean> {
    for (;;) {
      const updates = this.#updates;
      const enrollments = await read(this.#path);
      // What we have written in the meantime is newer: a key that has just been let in must not be taken for a stranger.
      if (updates !== this.#updates) continue;
      const isNews = !isDeepStrictEqual(enrollments, this.#enrollments);
      this.#enrollments = enrollments;
      return isNews;
    }
  }

  /** Rereads the file when another process changes it, until `close`. A damaged one leaves the old enrollments in force. */
  watch(onChange: () => void): void {
    const { log } = this.#context;
    const look = async (isChanged: boolean): Promise<void> => {
      try {
        const isNews = await this.reread();
        if ((isNews || isChanged) && !this.#stop.signal.aborted) onChange();
      } catch (reason) {
        log.error({ path: this.#path }, `${PortholeError.from(reason).message}; what was known before stays in force`);
      }
    };
    const watching = watchFiles([this.#path], this.#stop.signal, () => look(true));
    // It may have been changed since it was opened.
    this.#watching = Promise.all([watching, look(false)]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }
}

export function openEnrollmentFile(stateDir: string, context: EnrollmentFileContext): Promise<EnrollmentFile> {
  return EnrollmentFile.open(join(stateDir, "admission.json"), context);
}

async function read(path: string): Promise<Enrollments> {
  return (await readJson(path, readEnrollments)) ?? noEnrollments;
}
