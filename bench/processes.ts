import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const startDeadlineMs = 20_000;

/** A program of ours in a process of its own, as a user would start it. */
export interface Running {
  readonly child: ChildProcess;
  readonly lines: AsyncIterable<string>;
  stop(): Promise<void>;
}

export function start(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const child = spawn(process.execPath, ["--conditions=source", path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const exited = once(child, "exit");
  return {
    child,
    lines: createInterface({ input: child.stdout }),
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/** Reads lines until one is what is waited for. Once for each program: the rest of its output is thrown away. */
export async function waitForLine<T>(running: Running, match: (line: string) => T | undefined): Promise<T> {
  const timer = setTimeout(() => running.child.kill(), startDeadlineMs);
  try {
    for await (const line of running.lines) {
      const found = match(line);
      if (found === undefined) continue;
      // Whatever else it prints must not fill the pipe.
      running.child.stdout?.resume();
      return found;
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error(`${running.child.spawnargs[2]} ended, or did not start within ${startDeadlineMs / 1_000} s`);
}

export interface RelayPorts {
  readonly api: number;
  readonly public: number;
  /** Where its options ask for it. */
  readonly admin?: number;
}

/** As the image and the unit have it. */
const relayEnv = { NODE_OPTIONS: "--max-semi-space-size=4" };

/** Runs `work` with a relay on free ports. `args`: more of its options; `env`: of its environment. */
export async function withRelay<T>(
  work: (relay: Running, ports: RelayPorts, stateDir: string) => Promise<T>,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<T> {
  const stateDir = await mkdtemp(join(tmpdir(), "porthole-bench-"));
  const own = ["--api-port=0", "--pub-port=0", "--json", `--state-dir=${stateDir}`];
  const relay = start("relay/src/main.ts", [...own, ...args], { ...relayEnv, ...env });
  try {
    const ports = await waitForLine(relay, (line) => {
      const entry = JSON.parse(line) as { msg: string } & RelayPorts;
      return entry.msg === "Relay is ready" ? entry : undefined;
    });
    return await work(relay, ports, stateDir);
  } finally {
    await relay.stop();
    await rm(stateDir, { recursive: true });
  }
}
