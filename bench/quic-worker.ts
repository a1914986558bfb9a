import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openQuicWorker, relayIdentity } from "./worker-process.ts";
import { acceptEngine, receiveOn, type Identity, type Meter, type Sink } from "./quic-engine-ends.ts";
import type { ShowRow } from "./row.ts";

const megabyte = 1_000_000;
const bytes = 192 * megabyte;
const rounds = 3;

/**
 * What it costs that the relay's QUIC is in a process of its own: one stream from client to relay over 127.0.0.1, with the engine in the
 * receiving process and with the QUIC worker in between, in turn. Best of the rounds.
 */
export async function benchQuicWorker(show: ShowRow): Promise<void> {
  let [direct, worker] = [0, 0];
  let cpu: { readonly relay: number; readonly worker: number } = { relay: Infinity, worker: Infinity };
  let engine = Infinity;
  for (let round = 0; round < rounds; round++) {
    const alone = await measure(acceptEngine);
    direct = Math.max(direct, bytes / megabyte / (alone.wallMs / 1_000));
    engine = Math.min(engine, alone.cpuMs);
    const through = await measure(acceptWorker);
    worker = Math.max(worker, bytes / megabyte / (through.wallMs / 1_000));
    if (through.cpuMs + through.workerMs < cpu.relay + cpu.worker)
      cpu = { relay: through.cpuMs, worker: through.workerMs };
  }
  show({ name: "QUIC into the relay's process", value: direct, unit: "MB/s" });
  show({ name: "QUIC through the QUIC worker", value: worker, unit: "MB/s" });
  show({ name: "the QUIC worker's part of it", value: worker / direct, unit: "ratio" });
  show({
    name: "processor time of both processes, of that of one without a QUIC worker",
    value: (cpu.relay + cpu.worker) / engine,
    unit: "ratio",
  });
  show({ name: "of it, the relay's own process", value: cpu.relay / engine, unit: "ratio" });
  show({ name: "a core of the QUIC worker", value: bytes / megabyte / (cpu.worker / 1_000), unit: "MB/s" });
}

async function measure(accept: (identity: Identity) => Promise<Sink & { workerMs?(): Promise<number> }>) {
  const identity = relayIdentity();
  const sink = await accept(identity);
  const child = fork(fileURLToPath(new URL("./quic-engine-peer.ts", import.meta.url)), {
    execArgv: ["--conditions=source"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const exited = once(child, "exit");
  const before = (await sink.workerMs?.()) ?? 0;
  child.send({ kind: "engine", port: sink.port, bytes, ...identity });
  const meter: Meter = await sink.receive(bytes);
  const workerMs = ((await sink.workerMs?.()) ?? 0) - before;
  child.kill();
  await exited;
  await sink.close();
  return { ...meter, workerMs };
}

async function acceptWorker(identity: Identity): Promise<Sink & { workerMs(): Promise<number> }> {
  const worker = await openQuicWorker(identity);
  return {
    port: worker.port,
    receive: async (length) => receiveOn(await worker.next(), length),
    workerMs: () => worker.processorMs(),
    close: () => worker.close(),
  };
}
