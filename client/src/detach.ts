import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { dataFolder, makeFolder, orAbort, systemClock, withDeadline } from "@porthole/common/util";
import { stopController } from "./stop-signals.ts";

/** A certificate authority is given its time, too. */
const readyDeadlineMs = 180_000;
const childVariable = "PORTHOLE_DETACHED";

/**
 * `--detach`: starts this command again as a process of its own, without a terminal. Returns the URLs once its tunnels are ready.
 * Rejects with what it has printed when it ends before that, or after 3 minutes; nothing is left running then.
 */
export async function detach(argv: readonly string[], stateDir = dataFolder("porthole")): Promise<readonly string[]> {
  await makeFolder(stateDir);
  const logPath = join(stateDir, "detached.log");
  const log = openSync(logPath, "w", 0o600);
  const stop = stopController().signal;
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...inForeground(argv)], {
    detached: true,
    windowsHide: true,
    stdio: ["ignore", "ignore", log, "ipc"],
    env: { ...process.env, [childVariable]: "1" },
  });
  closeSync(log);
  try {
    const urls = await withDeadline(
      { clock: systemClock, delayMs: readyDeadlineMs, what: "Coming online", signal: stop },
      (signal) => orAbort(signal, firstMessage(child, logPath)),
    );
    child.disconnect();
    child.unref();
    return urls;
  } catch (reason) {
    child.kill();
    throw reason;
  }
}

async function firstMessage(child: ChildProcess, logPath: string): Promise<readonly string[]> {
  const ended = once(child, "exit").then(([code]: unknown[]) => {
    const text = readFileSync(logPath, "utf8")
      .trim()
      .replace(/^porthole: /, "");
    const refused =
      code === 3 ? ({ code: "unauthorized" } as const) : code === 2 ? ({ code: "usage" } as const) : undefined;
    throw new PortholeError(refused?.code ?? "closed", text === "" ? "The client ended before it was online" : text);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as unknown[];
  ended.catch(() => {});
  return message as readonly string[];
}

/** The arguments with `--detach` turned off, whatever its variable says. */
function inForeground(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv.filter((arg) => arg !== "--detach");
  return first === undefined
    ? ["--no-detach"]
    : /^[a-z]+$/.test(first)
      ? [first, "--no-detach", ...rest]
      : ["--no-detach", first, ...rest];
}

/** The process that has started this one with `--detach` and waits; undefined for any other. */
export interface Starter {
  ready(urls: readonly string[]): void;
  /** Aborts when it waits no longer. */
  readonly gone: AbortSignal;
  /** Nothing more is said. The channel would keep this process alive. */
  close(): void;
}

export function starterOf(): Starter | undefined {
  if (process.env[childVariable] !== "1" || !process.send) return undefined;
  const gone = new AbortController();
  let isReady = false;
  process.once("disconnect", () => {
    if (!isReady) gone.abort(new PortholeError("aborted", "The process that started this one has gone"));
  });
  return {
    gone: gone.signal,
    ready(urls) {
      isReady = true;
      process.send?.(urls);
    },
    close() {
      isReady = true;
      if (process.connected) process.disconnect();
    },
  };
}
