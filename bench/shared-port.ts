import type { ChildProcess } from "node:child_process";
import dgram, { type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { reportOf, startPeer } from "./dispatch.ts";
import type { ShowRow } from "./row.ts";

const clients = 200;
const settleMs = 300;

/**
 * Two processes share a UDP port (`reusePort`, Node 22.12 and 23.1): which of them hears a client that stays where it is, that moves,
 * and whose neighbours' process is started anew.
 */
export async function benchSharedPort(show: ShowRow): Promise<void> {
  let port = 0;
  const open = async (): Promise<ChildProcess> => {
    const peer = startPeer(["share", String(port)]);
    [{ port }] = (await once(peer, "message")) as [{ readonly port: number }];
    return peer;
  };
  const pair = [await open(), await open()] as [ChildProcess, ChildProcess];
  const sockets = await Promise.all(Array.from({ length: clients }, bound));
  const moved = await Promise.all(Array.from({ length: clients }, bound));
  /** Which process heard each client. */
  const heardBy = async (what: string, from: readonly Socket[]): Promise<readonly number[]> => {
    for (const [index, socket] of from.entries()) socket.send(`${what} ${index}`, port, "127.0.0.1");
    await pause(settleMs);
    const reports = await Promise.all(pair.map(reportOf));
    return from.map((_socket, index) => reports.findIndex(({ seen }) => `${what} ${index}` in seen));
  };
  const first = await heardBy("first", sockets);
  const again = await heardBy("again", sockets);
  const elsewhere = await heardBy("moved", moved);
  pair[0].kill();
  await once(pair[0], "exit");
  pair[0] = await open();
  const later = await heardBy("later", sockets);
  const unharmed = first.flatMap((process, index) => (process === 1 ? [index] : []));
  const row = (name: string, value: number): void => show({ name: `a shared port: ${name}`, value, unit: "ratio" });
  row("clients of the second of two processes", unharmed.length / clients);
  row(
    "of them, at the first one after that was started anew",
    unharmed.filter((i) => later[i] !== 1).length / unharmed.length,
  );
  row("clients that stay and are heard by another one", different(first, again));
  row("clients whose address changes and that are", different(first, elsewhere));
  for (const socket of [...sockets, ...moved]) socket.close();
  for (const peer of pair) {
    peer.kill();
    await once(peer, "exit");
  }
}

function different(before: readonly number[], after: readonly number[]): number {
  return before.filter((process, index) => process !== after[index]).length / before.length;
}

async function bound(): Promise<Socket> {
  const socket = dgram.createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
