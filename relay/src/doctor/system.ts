import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ok, skipped, warning } from "@porthole/common/util";
import type { Check } from "./check.ts";

/** Each visitor takes one, each client a few. */
const wantedFiles = 16_384;
/** The receive buffer that link/quic/quiche/udp-socket.ts asks for. The kernel silently gives less. */
const wantedUdpBytes = 4 * 1024 * 1024;

/** How this Linux is set up for many connections over long ways. Elsewhere there is nothing to say. `proc` is /proc but in tests. */
export async function checkSystem(proc = "/proc"): Promise<Check[]> {
  return [await checkCongestionControl(proc), await checkUdpBuffer(proc), await checkOpenFiles(proc)];
}

async function checkCongestionControl(proc: string): Promise<Check> {
  const id = "tcp";
  const current = await read(join(proc, "sys/net/ipv4/tcp_congestion_control"));
  if (current === undefined) return { id, ...skipped("the congestion control can't be read here") };
  if (current === "bbr") return { id, ...ok("congestion control is bbr") };
  const available = (await read(join(proc, "sys/net/ipv4/tcp_available_congestion_control"))) ?? "";
  const load = available.split(" ").includes("bbr") ? "" : "modprobe tcp_bbr; ";
  return {
    id,
    ...warning(
      `congestion control is ${current}; for visitors far away, or where packets get lost, bbr is much faster`,
      `${load}sysctl -w net.core.default_qdisc=fq net.ipv4.tcp_congestion_control=bbr (and the same lines in /etc/sysctl.d/ to keep it)`,
    ),
  };
}

async function checkUdpBuffer(proc: string): Promise<Check> {
  const id = "udp";
  const most = await read(join(proc, "sys/net/core/rmem_max"));
  if (most === undefined) return { id, ...skipped("the size of UDP's buffers can't be read here") };
  const kibibytes = Math.floor(Number(most) / 1024);
  if (Number(most) >= wantedUdpBytes) return { id, ...ok(`up to ${kibibytes} KiB of datagrams may wait`) };
  return {
    id,
    ...warning(
      `only ${kibibytes} KiB of datagrams may wait for the relay; with many visitors over QUIC, or under a flood, some get lost`,
      `sysctl -w net.core.rmem_max=${wantedUdpBytes} net.core.wmem_max=${wantedUdpBytes} (and the same lines in /etc/sysctl.d/ to keep it)`,
    ),
  };
}

async function checkOpenFiles(proc: string): Promise<Check> {
  const id = "files";
  const limits = await read(join(proc, "self/limits"));
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits ?? "") ?? [];
  if (soft === undefined) return { id, ...skipped("the limit of open files can't be read here") };
  if (soft === "unlimited" || Number(soft) >= wantedFiles) return { id, ...ok(`up to ${soft} open files`) };
  return {
    id,
    ...warning(
      `only ${soft} open files at once, and each visitor takes one`,
      "LimitNOFILE=65536 in the unit file, or ulimit -n 65536 before the start",
    ),
  };
}

async function read(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    return undefined;
  }
}
