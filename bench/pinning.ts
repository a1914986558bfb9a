import { spawnSync } from "node:child_process";
import { cpus } from "node:os";

const last = cpus().length - 1;

/** A list as `taskset` takes it. */
export const processors = { all: `0-${last}`, last: String(last), others: last > 1 ? `0-${last - 1}` : "0" } as const;

/** Whether programs can be kept to some of the processors: it takes two, and Linux's `taskset`. */
export function canPin(): boolean {
  return last > 0 && spawnSync("taskset", ["--version"]).status === 0;
}

/** Keeps the process, with all of its threads, to these processors; what it starts from now on as well. */
export function pin(pid: number | undefined, where: string): void {
  const args = ["--all-tasks", "--cpu-list", "--pid", where, String(pid)];
  const { status, stderr } = spawnSync("taskset", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`taskset ${args.join(" ")}: ${stderr}`);
}
