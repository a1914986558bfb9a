import { fork, type ChildProcess } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { headBytes, packetBytes } from "./datagram.ts";
import type { ShowRow } from "./row.ts";

const count = 100_000;
const perSecond = 20_000;

export interface PeerReport {
  readonly taken: number;
  readonly cpuUs: number;
  /** What has arrived there, by its text. */
  readonly seen: Readonly<Record<string, string>>;
}

/** One process that reads the UDP port for several: what it costs to take a datagram, and to hand it on, in each of both processes. */
export async function benchDispatch(show: ShowRow): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-"));
  try {
    const alone = await measure();
    show({ name: "a datagram that is taken and not handed on", value: alone.own, unit: "us" });
    for (const [name, path] of [
      ["the channel between parent and child", undefined],
      ["a local socket", join(folder, "dispatch.sock")],
    ] as const) {
      const { own, theirs } = await measure(path ?? "channel");
      show({ name: `handing it on by ${name}: the one who takes it, more`, value: own - alone.own, unit: "us" });
      show({ name: `  the one who gets it`, value: theirs, unit: "us" });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Processor time a datagram. `to`: "channel", or the path of a local socket. */
async function measure(to?: string): Promise<{ readonly own: number; readonly theirs: number }> {
  const worker = startPeer(["take", ...(to === undefined || to === "channel" ? [] : [to])]);
  await once(worker, "message");
  const way = to === undefined || to === "channel" ? undefined : net.connect(to);
  const socket = dgram.createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setRecvBufferSize(4 * 1024 * 1024);
  const { cpuUs: before } = await reportOf(worker);
  let received = 0;
  socket.on("message", (datagram, from) => {
    received += 1;
    if (to === "channel") worker.send({ datagram, from });
    else if (way) forward(way, datagram, from.port);
  });
  const ownBefore = process.cpuUsage();
  const sender = startPeer(["send", String(socket.address().port), String(count), String(perSecond)]);
  await once(sender, "exit");
  const { user, system } = process.cpuUsage(ownBefore);
  const { taken, cpuUs } = await reportOf(worker);
  if (to !== undefined && taken < received) throw new Error(`${taken} of ${received} datagrams were handed on`);
  socket.close();
  way?.destroy();
  worker.kill();
  await once(worker, "exit");
  return { own: (user + system) / received, theirs: (cpuUs - before) / received };
}

/** All of a turn in one call. */
function forward(way: Socket, datagram: Buffer, port: number): void {
  if (way.writableCorked === 0) {
    way.cork();
    setImmediate(() => way.uncork());
  }
  const head = Buffer.allocUnsafe(headBytes);
  head.writeUInt16BE(packetBytes, 0);
  head.writeUInt16BE(port, 2);
  head.writeUInt32BE(0x7f00_0001, 4);
  way.write(head);
  way.write(datagram);
}

export function startPeer(args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL("./datagram-peer.ts", import.meta.url)), args, {
    serialization: "advanced",
    execArgv: ["--conditions=source"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
}

export async function reportOf(peer: ChildProcess): Promise<PeerReport> {
  peer.send("report");
  const [report] = (await once(peer, "message")) as [PeerReport];
  return report;
}
