import { readdir, readFile, readlink } from "node:fs/promises";
import { SocketAddress } from "node:net";
import { shortCommand, type ListeningPort } from "./listening.ts";

export interface ProcSocket {
  readonly host: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

const listenState = "0A";

/** The listening sockets in the text of /proc/net/tcp or tcp6 (proc_net_tcp.rst of the Linux documentation). */
export function parseProcNet(text: string): ProcSocket[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", , state, , , , uid, , inode = ""] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      if (state !== listenState || !/^[0-9A-F]{4}$/i.test(port)) return [];
      return [{ host: procAddress(address), port: Number.parseInt(port, 16), uid: Number(uid), inode }];
    });
}

/** Addresses are words in the machine's byte order, which is little-endian wherever an editor runs. */
function procAddress(hex: string): string {
  if (hex.length === 8) return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
  const groups = (hex.match(/.{8}/g) ?? []).flatMap((word) => [
    word.slice(6) + word.slice(4, 6),
    word.slice(2, 4) + word.slice(0, 2),
  ]);
  const { address } = new SocketAddress({ family: "ipv6", address: groups.join(":") });
  return address.replace(/^::ffff:(?=[\d.]+$)/, "");
}

/** Returns the ports that this user listens on. Other users' ports are theirs to expose. */
export async function listLinuxPorts(uid: number): Promise<ListeningPort[]> {
  const texts = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const sockets = texts.flatMap(parseProcNet).filter((socket) => socket.uid === uid);
  const owners = await socketOwners(new Set(sockets.map(({ inode }) => inode)));
  return sockets.map(({ host, port, inode }) => {
    const owner = owners.get(inode);
    return { host, port, process: owner?.name, pid: owner?.pid, cwd: owner?.cwd };
  });
}

interface Owner {
  readonly pid: number;
  readonly name: string;
  readonly cwd: string | undefined;
}

async function socketOwners(wanted: ReadonlySet<string>): Promise<Map<string, Owner>> {
  const owners = new Map<string, Owner>();
  const entries = await readdir("/proc").catch(() => []);
  for (const pid of entries.filter((entry) => /^\d+$/.test(entry))) {
    // Processes come and go, and others' can't be read.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const link = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
      if (inode !== undefined && wanted.has(inode) && !owners.has(inode))
        owners.set(inode, { pid: Number(pid), name: await commandName(pid), cwd: await folderOf(pid) });
    }
  }
  return owners;
}

function folderOf(pid: string): Promise<string | undefined> {
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined);
}

async function commandName(pid: string): Promise<string> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").filter(Boolean);
  return shortCommand(words);
}
