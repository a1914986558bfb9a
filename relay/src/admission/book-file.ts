import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { lockFile, readJson, whileHeld, writeJson, type Clock } from "@porthole/common/util";
import { watchFiles } from "../watch-files.ts";
import { emptyBook, pruned, type Book } from "./book.ts";
import { readBook } from "./read-book.ts";

export interface BookContext {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The book on disk, which a running relay and the commands share. */
export class BookFile {
  readonly #path: string;
  readonly #context: BookContext;
  readonly #stop = new AbortController();
  #book: Book;
  #watching: Promise<void> = Promise.resolve();

  private constructor(path: string, context: BookContext, book: Book) {
    this.#path = path;
    this.#context = context;
    this.#book = book;
  }

  /** Rejects with `state` when the file is damaged; none is an empty book. */
  static async open(path: string, context: BookContext): Promise<BookFile> {
    return new BookFile(path, context, await read(path));
  }

  /** As of the last reading or writing. */
  get book(): Book {
    return this.#book;
  }

  /**
   * Changes the book as it is on disk by then, one change at a time for all processes. What counts is written before it resolves;
   * what `change` throws leaves everything as it was.
   */
  async update(change: (book: Book, now: number) => Book, signal: AbortSignal): Promise<Book> {
    const lock = await lockFile(`${this.#path}.lock`, this.#context.clock, signal);
    return whileHeld(lock, signal, async (within) => {
      const before = await read(this.#path);
      const now = this.#context.clock.now();
      const after = change(before, now);
      within.throwIfAborted();
      if (after !== before) await writeJson(this.#path, pruned(after, now));
      this.#book = after;
      return after;
    });
  }

  /** Rereads the file when another process changes it, until `close`. A damaged one leaves the old book in force. */
  watch(onChange: () => void): void {
    const { log } = this.#context;
    this.#watching = watchFiles([this.#path], this.#stop.signal, async () => {
      try {
        this.#book = await read(this.#path);
        onChange();
      } catch (reason) {
        log.error({ path: this.#path }, `${PortholeError.from(reason).message}; what was known before stays in force`);
      }
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }
}

export function openBook(stateDir: string, context: BookContext): Promise<BookFile> {
  return BookFile.open(join(stateDir, "admission.json"), context);
}

async function read(path: string): Promise<Book> {
  return (await readJson(path, readBook)) ?? emptyBook;
}
