/** How long a line is held back that a newer one mostly replaces at once. */
const passingMs = 1_000;

/** Lines by key: a passing one is printed in a moment, if nothing newer of its key comes before. Then that alone is printed. */
export class Held {
  readonly #held = new Map<string, { readonly timer: NodeJS.Timeout; readonly print: () => void }>();

  print(key: string, isPassing: boolean, print: () => void): void {
    clearTimeout(this.#held.get(key)?.timer);
    this.#held.delete(key);
    if (!isPassing) return print();
    const timer = setTimeout(() => {
      this.#held.delete(key);
      print();
    }, passingMs);
    this.#held.set(key, { timer, print });
  }

  /** Prints what is held back. */
  close(): void {
    for (const { timer, print } of this.#held.values()) {
      clearTimeout(timer);
      print();
    }
    this.#held.clear();
  }
}
