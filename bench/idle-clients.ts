import { readFile } from "node:fs/promises";
import { PortholeError } from "@porthole/common/errors";
import type { Link } from "@porthole/common/link";
import { quicAvailability } from "@porthole/common/link/quic";
import { admitted, dialHttp2Unchecked, dialQuicUnchecked, type Dial } from "./client.ts";
import { processorMs } from "./process-time.ts";
import { withRelay } from "./processes.ts";
import type { ShowRow } from "./row.ts";

const clients = Number(process.env["PORTHOLE_BENCH_CLIENTS"] ?? 1_000);
const heartbeatsMs = 20_000;
const atOnce = 25;
const settleMs = 6_000;

/** Memory of the relay, its QUIC worker included, for clients that are connected and idle, each with a key of its own. */
export async function benchIdleClients(show: ShowRow): Promise<void> {
  checkOpenFiles();
  await measure("HTTP/2", dialHttp2Unchecked, show);
  if (quicAvailability().available) await measure("QUIC", dialQuicUnchecked, show);
}

/** A relay without files to open leaves its clients waiting. Node has asked for as many as it may have. */
function checkOpenFiles(): void {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files: { soft: number | "unlimited" } } };
  const allowed = userLimits?.open_files.soft ?? "unlimited";
  const needed = clients + 1_000;
  if (allowed !== "unlimited" && allowed < needed)
    throw new Error(`${clients} clients need ${needed} open files, and ${allowed} are allowed: ulimit -Hn ${needed}`);
}

async function measure(connection: string, dial: Dial, show: ShowRow): Promise<void> {
  await withRelay(
    async (relay, ports) => {
      const before = await residentBytes(relay.child.pid);
      const links: Link[] = [];
      let dialled = 0;
      const connect = async (): Promise<void> => {
        while (dialled < clients) {
          dialled += 1;
          links.push((await admitted(await dial(ports.api, AbortSignal.timeout(60_000)))).link);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, connect));
      // Garbage of the handshakes goes with the next heartbeats.
      await new Promise((resolve) => {
        setTimeout(resolve, settleMs);
      });
      const after = await residentBytes(relay.child.pid);
      const busyBefore = await sumOfFamily(relay.child.pid, processorMs);
      await new Promise((resolve) => {
        setTimeout(resolve, heartbeatsMs);
      });
      const busyMs = (await sumOfFamily(relay.child.pid, processorMs)) - busyBefore;
      for (const link of links) link.destroy(new PortholeError("closed", "The measurement is over"));
      await Promise.all(links.map((link) => link.closed));
      show({
        name: `${connection}: relay's memory for an idle client, of ${links.length}`,
        value: (after - before) / 1024 / links.length,
        unit: "KiB",
      });
      show({
        name: `${connection}: the relay's processor for the heartbeats of ${links.length}`,
        value: (busyMs / heartbeatsMs) * 100,
        unit: "% of a core",
      });
    },
    ["--quic-admission=open"],
  );
}

function residentBytes(pid: number | undefined): Promise<number> {
  return sumOfFamily(pid, async (member) => {
    const status = await readFile(`/proc/${member}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  });
}

/** Adds up a figure of a process and its children: the QUIC worker is one. */
async function sumOfFamily(
  pid: number | undefined,
  measure: (pid: number | undefined) => Promise<number>,
): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter(Boolean);
  const theirs = await Promise.all(children.map((child) => sumOfFamily(Number(child), measure)));
  return theirs.reduce((sum, value) => sum + value, await measure(pid));
}
