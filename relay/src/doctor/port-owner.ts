import { readdir, readFile, readlink } from "node:fs/promises";

const listening = "0A";

/** Returns the name of the program that listens on a TCP port of this machine; undefined where the system does not say (not Linux, not root). */
export async function portOwner(port: number): Promise<string | undefined> {
  try {
    const inodes = new Set((await Promise.all(["tcp", "tcp6"].map((table) => listeners(table, port)))).flat());
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid) || !(await holds(pid, inodes))) continue;
      return (await readFile(`/proc/${pid}/comm`, "utf8")).trim();
    }
  } catch {
    // Nothing depends on it.
  }
  return undefined;
}

/** The inodes of the sockets that listen on this port, from proc_net(5): `sl local_address rem_address st ... inode`. */
async function listeners(table: string, port: number): Promise<string[]> {
  const text = await readFile(`/proc/net/${table}`, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
    const isIt = state === listening && Number.parseInt(local.split(":")[1] ?? "", 16) === port;
    return isIt && inode !== undefined ? [`socket:[${inode}]`] : [];
  });
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  for (const file of files) if (inodes.has(await readlink(`${folder}/${file}`).catch(() => ""))) return true;
  return false;
}
