import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openLane, relayIdentity } from "./lane-process.ts";
import { acceptEngine, receiveOn, type Identity, type Meter, type Sink } from "./quic-engine-ends.ts";
import type { ShowRow } from "./row.ts";

const megabyte = 1_000_000;
const bytes = 192 * megabyte;
const rounds = 3;

/**
 * What it costs that the relay's QUIC is in a process of its own: one stream from client to relay over 127.0.0.1, with the engine in the
 * receiving process and with the lane in between, in turn. Best of the rounds.
 */
export async function benchQuicLane(show: ShowRow): Promise<void> {
  let [direct, lane] = [0, 0];
  let cpu: { readonly relay: number; readonly lane: number } = { relay: Infinity, lane: Infinity };
  let engine = Infinity;
  for (let round = 0; round < rounds; round++) {
    const alone = await measure(acceptEngine);
    direct = Math.max(direct, bytes / megabyte / (alone.wallMs / 1_000));
    engine = Math.min(engine, alone.cpuMs);
    const through = await measure(acceptLane);
    lane = Math.max(lane, bytes / megabyte / (through.wallMs / 1_000));
    if (through.cpuMs + through.laneMs < cpu.relay + cpu.lane) cpu = { relay: through.cpuMs, lane: through.laneMs };
  }
  show({ name: "QUIC into the relay's process", value: direct, unit: "MB/s" });
  show({ name: "QUIC through the lane", value: lane, unit: "MB/s" });
  show({ name: "the lane's part of it", value: lane / direct, unit: "ratio" });
  show({
    name: "processor time of both processes, of that of one without a lane",
    value: (cpu.relay + cpu.lane) / engine,
    unit: "ratio",
  });
  show({ name: "of it, the relay's own process", value: cpu.relay / engine, unit: "ratio" });
  show({ name: "a core of the lane", value: bytes / megabyte / (cpu.lane / 1_000), unit: "MB/s" });
}

async function measure(accept: (identity: Identity) => Promise<Sink & { laneMs?(): Promise<number> }>) {
  const identity = relayIdentity();
  const sink = await accept(identity);
  const child = fork(fileURLToPath(new URL("./quic-engine-peer.ts", import.meta.url)), {
    execArgv: ["--conditions=source"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const exited = once(child, "exit");
  const before = (await sink.laneMs?.()) ?? 0;
  child.send({ kind: "engine", port: sink.port, bytes, ...identity });
  const meter: Meter = await sink.receive(bytes);
  const laneMs = ((await sink.laneMs?.()) ?? 0) - before;
  child.kill();
  await exited;
  await sink.close();
  return { ...meter, laneMs };
}

async function acceptLane(identity: Identity): Promise<Sink & { laneMs(): Promise<number> }> {
  const lane = await openLane(identity);
  return {
    port: lane.port,
    receive: async (length) => receiveOn(await lane.next(), length),
    laneMs: () => lane.processorMs(),
    close: () => lane.close(),
  };
}
