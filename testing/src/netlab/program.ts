import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { soon } from "../end-to-end/until.ts";

/** A line of a program's output that is a JSON object. */
export type Entry = Readonly<Record<string, unknown>>;

/** A running program that prints one JSON object a line. */
export interface Program {
  readonly child: ChildProcess;
  /** All it has said, the oldest first. */
  readonly entries: readonly Entry[];
  /** The first answer that `find` gives, asked for now and after each new entry. Rejects when the program ends first. */
  when<T>(what: string, find: (entries: readonly Entry[]) => T | undefined, withinMs?: number): Promise<T>;
  /** Asks it to end, and resolves with its status. */
  stop(): Promise<number | null>;
}

/** Eight labs start side by side, and a busy machine takes its time for each program. */
const answerMs = 60_000;
const stopMs = 60_000;

/** `child` needs pipes for stdout and stderr. */
export function watchProgram(child: ChildProcess): Program {
  const entries: Entry[] = [];
  const rest: string[] = [];
  const watchers = new Set<() => void>();
  const closed = once(child, "close") as Promise<[number | null]>;
  closed.catch(() => {});
  if (!child.stdout || !child.stderr) throw new Error("A program's output must be piped");
  createInterface({ input: child.stderr }).on("line", (line) => rest.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("{")) entries.push(JSON.parse(line) as Entry);
    else rest.push(line);
    for (const watcher of watchers) watcher();
  });

  function tail(): string {
    return [...rest, ...entries.slice(-8).map((entry) => JSON.stringify(entry))].join("\n");
  }

  return {
    child,
    entries,
    async when(what, find, withinMs = answerMs) {
      let look = (): void => {};
      const found = new Promise<NonNullable<ReturnType<typeof find>>>((resolve, reject) => {
        look = () => {
          const answer = find(entries);
          if (answer !== undefined && answer !== null) resolve(answer);
        };
        watchers.add(look);
        look();
        closed.then(([code]) => reject(new Error(`Ended with ${code} before ${what}:\n${tail()}`)), reject);
      });
      try {
        return await soon(found, () => `${what}; it said:\n${tail()}`, withinMs);
      } finally {
        watchers.delete(look);
      }
    },
    async stop() {
      child.kill("SIGTERM");
      const [code] = await soon(closed, () => `the end after SIGTERM; it said:\n${tail()}`, stopMs);
      return code;
    },
  };
}
