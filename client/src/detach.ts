import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { dataFolder, makeFolder, orAbort, systemClock, withDeadline } from "@porthole/common/util";
import { stopController } from "./stop-signals.ts";

/** A certificate authority is given its time, too. */
const readyDeadlineMs = 180_000;
/** A relay that has not answered by then is not waited for. */
const unreachableAfterMs = 15_000;
const childVariable = "PORTHOLE_DETACHED";

/**
 * `--detach`: starts this command again as a process of its own, without a terminal. Returns the URLs once its tunnels are ready.
 * Rejects with what it has printed when it ends before that, after 15 seconds when no relay can be reached, and after 3 minutes in any
 * case; nothing is left running then.
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
      (signal) => orAbort(signal, Promise.race([whenReady(child), whenEnded(child, logPath)])),
    );
    child.disconnect();
    child.unref();
    return urls;
  } catch (reason) {
    child.kill();
    throw reason;
  }
}

/** Messages of the process to its starter. */
type Message =
  | { readonly urls: readonly string[] }
  /** Why no relay answers; null when one does. */
  | { readonly unreachable: string | null };

function whenReady(child: ChildProcess): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let unreachable: string | null = null;
    let isLate = false;
    const judge = (): void => {
      if (!isLate || unreachable === null) return;
      const hint = "porthole doctor shows which hop fails. Without --detach the client keeps trying.";
      reject(new PortholeError("timeout", unreachable, { hint }));
    };
    const timer = setTimeout(() => {
      isLate = true;
      judge();
    }, unreachableAfterMs);
    child.once("exit", () => clearTimeout(timer));
    child.on("message", (message: Message) => {
      if ("urls" in message) {
        clearTimeout(timer);
        resolve(message.urls);
      } else {
        ({ unreachable } = message);
        judge();
      }
    });
  });
}

async function whenEnded(child: ChildProcess, logPath: string): Promise<never> {
  const [code] = (await once(child, "exit")) as [number | null];
  const text = readFileSync(logPath, "utf8")
    .trim()
    .replace(/^porthole: /, "");
  const refused =
    code === 3 ? ({ code: "unauthorized" } as const) : code === 2 ? ({ code: "usage" } as const) : undefined;
  throw new PortholeError(refused?.code ?? "closed", text === "" ? "The client ended before it was online" : text);
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
  /** Why no relay answers; null when one does. */
  unreachable(why: string | null): void;
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
      process.send?.({ urls } satisfies Message);
    },
    unreachable(why) {
      if (process.connected) process.send?.({ unreachable: why } satisfies Message);
    },
    close() {
      isReady = true;
      if (process.connected) process.disconnect();
    },
  };
}
