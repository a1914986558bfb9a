import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Longer than anything takes that is made once, on a busy machine. */
const deadlineMs = 15 * 60_000;
const here = new Map<string, Promise<void>>();

/**
 * Does something once for all processes of a test run, such as a build in `dist/`. The first caller does it; the others wait for the end,
 * and fail as it did. Without the runner (scripts/test.ts) it is done once a process.
 */
export function oncePerRun(name: string, make: () => Promise<unknown>): Promise<void> {
  const known = here.get(name);
  if (known) return known;
  const run = process.env["PORTHOLE_TEST_RUN"];
  const made = run === undefined ? make().then(() => {}) : madeBySomebody(join(run, name), make);
  here.set(name, made);
  return made;
}

/** Whether it has been done in this run, by whichever process. */
export function isMade(name: string): boolean {
  const run = process.env["PORTHOLE_TEST_RUN"];
  const outcome = run && outcomeIn(join(run, name));
  return outcome !== undefined && existsSync(outcome) && readFileSync(outcome, "utf8") === "";
}

/** Holds nothing when it was done, and the error otherwise. */
const outcomeIn = (folder: string): string => join(folder, "outcome");

async function madeBySomebody(folder: string, make: () => Promise<unknown>): Promise<void> {
  const outcome = outcomeIn(folder);
  const isFirst = await mkdir(folder).then(
    () => true,
    (reason: NodeJS.ErrnoException) => {
      if (reason.code === "EEXIST") return false;
      throw reason;
    },
  );
  if (isFirst) {
    try {
      await make();
      await record("");
    } catch (reason) {
      await record(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
      throw reason;
    }
    return;
  }
  const until = performance.now() + deadlineMs;
  while (!existsSync(outcome)) {
    if (performance.now() > until) throw new Error(`${folder} was not made in time by another process`);
    await pause(50);
  }
  const failure = await readFile(outcome, "utf8");
  if (failure !== "") throw new Error(`Another process failed to make it: ${failure}`);

  /** A reader sees all of it or nothing. */
  async function record(text: string): Promise<void> {
    await writeFile(`${outcome}.new`, text);
    await rename(`${outcome}.new`, outcome);
  }
}
