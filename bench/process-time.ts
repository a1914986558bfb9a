import { readFile } from "node:fs/promises";

/** Milliseconds that a process has been on a processor so far; the kernel counts in hundredths of a second (proc(5)). */
export async function processorMs(pid: number | undefined): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
