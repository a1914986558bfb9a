import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { TestEvent } from "./events.ts";
import { leftInGroup, signalGroup } from "./process-group.ts";

/** On a machine that is busy with something else, too. */
const goneWithinMs = 30_000;
/** How long output is awaited after the end of a group. */
const lastOutputMs = 2_000;

export interface Failure {
  readonly title: string;
  /** The error with its stack. Undefined where the title says everything. */
  readonly detail?: string;
}

export interface GroupResult {
  readonly passed: readonly { readonly title: string; readonly durationMs: number }[];
  readonly skipped: readonly { readonly title: string; readonly reason: string | undefined }[];
  /** Failed tests, and what else went wrong around them. */
  readonly failed: readonly Failure[];
  /** What the group printed. Empty unless it was kept. */
  readonly output: string;
}

export interface GroupOptions {
  readonly root: string;
  readonly files: readonly string[];
  readonly mochaArgs: readonly string[];
  /** Ends the group. Its reason becomes a failure. */
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** `keep` returns what the group prints as `output`. Defaults to `inherit`. */
  readonly output?: "inherit" | "ignore" | "keep";
  /** How long processes that a test has just killed may take to go. Defaults to 30 s. */
  readonly goneWithinMs?: number;
}

/** Runs files in one mocha process, in a process group of its own, and leaves nothing of it behind. */
export async function runGroup(options: GroupOptions): Promise<GroupResult> {
  const { root, files, mochaArgs, signal, env = process.env, output = "inherit" } = options;
  const passed: { title: string; durationMs: number }[] = [];
  const skipped: { title: string; reason: string | undefined }[] = [];
  const failed: Failure[] = [];
  let running = "nothing yet";
  let ended = false;

  const ownGroup = process.platform !== "win32";
  const stream = output === "keep" ? "pipe" : output;
  const child = spawn(
    process.execPath,
    [
      ...["--conditions=source", "--unhandled-rejections=strict", "--enable-source-maps"],
      join(root, "node_modules", "mocha", "lib", "cli", "cli.js"),
      ...["--reporter", join(root, "scripts", "test", "reporter.ts")],
      ...mochaArgs,
      ...files,
    ],
    { cwd: root, env, stdio: ["ignore", stream, stream, "ipc"], detached: ownGroup },
  );
  const printed: Buffer[] = [];
  for (const each of [child.stdout, child.stderr]) each?.on("data", (chunk: Buffer) => printed.push(chunk));
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.on("message", (event: TestEvent) => {
    switch (event.type) {
      case "started":
        running = event.title;
        break;
      case "passed":
        passed.push(event);
        break;
      case "skipped":
        skipped.push(event);
        break;
      case "failed":
        failed.push(event);
        break;
      case "ended":
        ended = true;
        break;
      case "leaked":
        failed.push({ title: `Tests left something open, so their process did not end: ${event.handles.join(", ")}` });
        break;
    }
  });

  const killAll = (): void => {
    if (ownGroup && child.pid) signalGroup(child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  };
  const onAbort = (): void => {
    failed.push({ title: `${(signal.reason as Error).message}, in: ${running}` });
    killAll();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const status = await new Promise<string | number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, killedBy) => resolve(code ?? killedBy));
    });
    // What it has sent is read before this.
    if (child.connected) await new Promise((resolve) => child.once("disconnect", resolve));
    if (failed.length === 0 && !ended) failed.push({ title: `mocha ended early, with ${status}, in: ${running}` });
    else if (failed.length === 0 && status !== 0)
      failed.push({ title: `mocha ended with ${status} after its last test` });
    const left = ownGroup && child.pid ? await leftInGroup(child.pid, options.goneWithinMs ?? goneWithinMs) : [];
    if (left.length > 0) {
      failed.push({ title: `Tests left processes running: ${left.join(", ")}` });
      killAll();
    }
    // A process outside of the group may hold the pipes open.
    await Promise.race([closed, pause(lastOutputMs, undefined, { ref: false })]);
    return { passed, skipped, failed, output: Buffer.concat(printed).toString() };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
