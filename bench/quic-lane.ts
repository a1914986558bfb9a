import { readFile } from "node:fs/promises";
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createCertificate, generateKey } from "@porthole/common/identity";
import type { Carrier } from "@porthole/common/link";
import { silentLogger } from "@porthole/common/log";
import { AsyncQueue, systemClock } from "@porthole/common/util";
import { Lane } from "../relay/src/lane/lane.ts";
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
}

async function measure(accept: (identity: Identity) => Promise<Sink & { laneMs?(): Promise<number> }>) {
  const key = generateKey();
  const { pem } = createCertificate({ key, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
  const identity = { cert: pem, key: key.pem };
  const sink = await accept(identity);
  const child = fork(fileURLToPath(new URL("quic-engine-peer.ts", import.meta.url)), {
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
  const arrived = new AsyncQueue<Carrier>();
  const lane = await Lane.open({
    ...{ address: "127.0.0.1", port: 0, ...identity, admission: "open", memoryCapBytes: 1024 ** 3 },
    ...{ clock: systemClock, log: silentLogger, onCarrier: (carrier) => void arrived.push(carrier) },
  });
  return {
    port: lane.port,
    async receive(length) {
      const { value } = await arrived.next();
      if (!value) throw new Error("Nobody came");
      return receiveOn(value, length);
    },
    async laneMs() {
      // User and system time in hundredths of a second: proc(5).
      const fields = (await readFile(`/proc/${lane.facts().pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    close: () => lane.close(),
  };
}
