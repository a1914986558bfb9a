import { setTimeout as pause } from "node:timers/promises";
import { flag } from "@porthole/common/options";

const everyMs = 2_000;
const clearScreen = "\u001b[H\u001b[2J";

/** The option of commands that show something of the running relay. */
export const watchOption = { help: "Show it again every two seconds", parse: flag, notInFile: true } as const;

/** Prints a text, with `--watch` every two seconds, on a cleared screen where there is one. Returns the exit status. */
export async function show(
  values: { readonly watch: boolean; readonly json: boolean },
  text: () => Promise<string>,
): Promise<number> {
  for (;;) {
    const shown = await text();
    const isScreen = values.watch && !values.json && process.stdout.isTTY;
    process.stdout.write(isScreen ? clearScreen + shown : shown);
    if (!values.watch) return 0;
    await pause(everyMs);
  }
}
