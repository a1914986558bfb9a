import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** Sends a signal to every process of a group. False: there is none in it any more. */
export function signalGroup(id: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-id, name);
  } catch {
    return false;
  }
}

/**
 * The processes of a group that are still there after a while, as `PID: COMMAND`; those that a test has just killed take a moment to go.
 * One that has ended and that nobody has collected is not left running: on a machine whose first process collects no orphans it stays
 * indefinitely (proc_pid_stat(5), state Z).
 */
export async function leftInGroup(id: number, forMs: number): Promise<string[]> {
  const until = performance.now() + forMs;
  for (;;) {
    if (!signalGroup(id, 0)) return [];
    const left = process.platform === "linux" ? await groupOnLinux(id) : [`group ${id}`];
    if (left.length === 0 || performance.now() > until) return left;
    await pause(100);
  }
}

async function groupOnLinux(id: number): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
      // The second field is the program's name, and may hold anything, brackets too.
      const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(group) !== id || state === "Z" || state === "X") return [];
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return [`${pid}: ${command.split("\0").join(" ").trim() || stat}`];
    }),
  );
  return found.flat();
}
