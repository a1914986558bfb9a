import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { programsOfRun } from "../built-programs.ts";
import { skipUnless } from "../skip.ts";
import type { Scope } from "./scope.ts";
import { soon } from "./until.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child of the test, which ends with it at the latest. */
export interface Running {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly errors: readonly string[];
  /** A line of its output that is there or comes; rejects when the child ends first. */
  line(text: RegExp): Promise<string>;
  readonly exited: Promise<Exit>;
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export function start(scope: Scope, command: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  const lines: string[] = [];
  const errors: string[] = [];
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    look();
  });
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const exited = once(child, "close").then(([code, signal]) => ({ code, signal }));
  exited.catch(() => {});
  const all = (): string => [...lines, ...errors].join("\n");
  scope.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await exited.catch(() => {});
  });
  return {
    child,
    lines,
    errors,
    exited,
    line: (text) =>
      soon(
        new Promise((resolve, reject) => {
          const find = (): void => {
            const found = lines.find((line) => text.test(line));
            if (found === undefined) return;
            watchers.delete(find);
            resolve(found);
          };
          watchers.add(find);
          find();
          exited.then(({ code }) => reject(new Error(`Ended with ${code} and without ${text}:\n${all()}`)), reject);
        }),
        () => `${text} in the output:\n${all()}`,
      ),
    kill(signal = "SIGKILL") {
      child.kill(signal);
      return soon(exited, () => `the end after ${signal}:\n${all()}`);
    },
  };
}

const sources = { relay: "relay/src/main.ts", client: "client/src/main.ts" } as const;
const root = join(import.meta.dirname, "../../..");
const cacheFolder = process.env["NODE_COMPILE_CACHE"];
/** For the environment of a program that Node runs: halves its start from sources. */
export const compileCache = cacheFolder === undefined ? {} : { NODE_COMPILE_CACHE: cacheFolder };

export interface CliOptions extends RunOptions {
  readonly nodeArgs?: readonly string[];
}

/** What Node runs, with `--conditions=source`: the bundle if this run has made it, otherwise the source. */
export function programFile(program: keyof typeof sources): string {
  return programsOfRun?.[program] ?? join(root, sources[program]);
}

/** Starts one of the two programs as a user does. Nothing of the test's own environment reaches it. */
export function startCli(
  scope: Scope,
  program: keyof typeof sources,
  args: readonly string[],
  options: CliOptions = {},
): Running {
  const { nodeArgs = [], env = {} } = options;
  const argv = ["--conditions=source", ...nodeArgs, programFile(program), ...args];
  return start(scope, process.execPath, argv, {
    ...options,
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", ...compileCache, ...env },
  });
}

export interface Output extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { ...options, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    );
  });
}

export async function runCli(
  scope: Scope,
  program: keyof typeof sources,
  args: readonly string[],
  options: CliOptions = {},
): Promise<Output> {
  const running = startCli(scope, program, args, options);
  const exit = await soon(running.exited, () => `the end of ${program}:\n${running.lines.join("\n")}`);
  return { ...exit, stdout: running.lines.join("\n"), stderr: running.errors.join("\n") };
}

/** Skips the test unless the program is installed. */
export function needProgram(context: Mocha.Context, name: string): void {
  const isThere = (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  skipUnless(context, isThere, `${name} is not installed`);
}
