import { spawn } from "node:child_process";
import { join } from "node:path";
import type { TestEvent } from "./events.ts";
import { leftInGroup, signalGroup } from "./process-group.ts";

/** On a machine that is busy with something else, too. */
const goneWithinMs = 30_000;

export interface GroupResult {
  readonly passed: readonly { readonly title: string; readonly durationMs: number }[];
  readonly skipped: readonly { readonly title: string; readonly reason: string | undefined }[];
  /** Failed tests, and what else went wrong around them. */
  readonly failed: readonly string[];
}

export interface GroupOptions {
  readonly root: string;
  readonly files: readonly string[];
  readonly mochaArgs: readonly string[];
  /** Aborts when the whole run has taken too long. */
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly output?: "inherit" | "ignore";
  /** How long processes that a test has just killed may take to go; 30 s when absent. */
  readonly goneWithinMs?: number;
}

/** Runs files in one mocha process, in a process group of its own, and leaves nothing of it behind. */
export async function runGroup(options: GroupOptions): Promise<GroupResult> {
  const { root, files, mochaArgs, signal, env = process.env, output = "inherit" } = options;
  const passed: { title: string; durationMs: number }[] = [];
  const skipped: { title: string; reason: string | undefined }[] = [];
  const failed: string[] = [];
  let running = "nothing yet";
  let ended = false;

  const ownGroup = process.platform !== "win32";
  const child = spawn(
    process.execPath,
    [
      ...["--conditions=source", "--unhandled-rejections=strict", "--enable-source-maps"],
      join(root, "node_modules", "mocha", "lib", "cli", "cli.js"),
      ...["--reporter", join(root, "scripts", "test", "reporter.ts")],
      ...mochaArgs,
      ...files,
    ],
    { cwd: root, env, stdio: ["ignore", output, output, "ipc"], detached: ownGroup },
  );
  child.on("message", (event: TestEvent) => {
    switch (event.type) {
      case "started":
        running = event.title;
        break;
      case "passed":
      case "skipped":
      case "failed":
        if (event.type === "passed") passed.push(event);
        else if (event.type === "skipped") skipped.push(event);
        else failed.push(event.title);
        break;
      case "ended":
        ended = true;
        break;
      case "leaked":
        failed.push(`Tests left something open, so their process did not end: ${event.handles.join(", ")}`);
        break;
    }
  });

  const killAll = (): void => {
    if (ownGroup && child.pid) signalGroup(child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  };
  const forward = (name: NodeJS.Signals): void => {
    failed.push(`Interrupted by ${name} in: ${running}`);
    killAll();
  };
  const onAbort = (): void => {
    failed.push(`${(signal.reason as Error).message}, in: ${running}`);
    killAll();
  };
  process.on("SIGINT", forward).on("SIGTERM", forward);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const status = await new Promise<string | number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, killedBy) => resolve(code ?? killedBy));
    });
    // What it has sent is read before this.
    if (child.connected) await new Promise((resolve) => child.once("disconnect", resolve));
    if (failed.length === 0 && !ended) failed.push(`mocha ended early, with ${status}, in: ${running}`);
    else if (failed.length === 0 && status !== 0) failed.push(`mocha ended with ${status} after its last test`);
    const left = ownGroup && child.pid ? await leftInGroup(child.pid, options.goneWithinMs ?? goneWithinMs) : [];
    if (left.length > 0) {
      failed.push(`Tests left processes running: ${left.join(", ")}`);
      killAll();
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
  return { passed, skipped, failed };
}
