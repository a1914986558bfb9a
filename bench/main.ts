import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { benchBrokenTransfers } from "./broken-transfers.ts";
import { benchCluster } from "./cluster.ts";
import { benchIdleClients } from "./idle-clients.ts";
import { benchFloods } from "./floods.ts";
import { benchFrameFloods } from "./frame-floods.ts";
import { benchGatewayFloods } from "./gateway-floods.ts";
import { benchHeadOfLine } from "./head-of-line.ts";
import { benchHostileUdp } from "./hostile-udp.ts";
import { benchHttpMode } from "./http-mode.ts";
import { benchInspector } from "./inspector.ts";
import { benchInspectorTurns } from "./inspector-turns.ts";
import { benchQuicEngines } from "./quic-engines.ts";
import { benchPeers } from "./peers.ts";
import { benchOutages } from "./outages.ts";
import { benchReturn } from "./return.ts";
import { benchStart } from "./start.ts";
import { benchStalledReaders } from "./stalled-readers.ts";
import { benchThroughput } from "./throughput.ts";
import { benchWorkerFaults } from "./worker-faults.ts";
import { meetsTarget, type BenchRow, type ShowRow } from "./row.ts";
import { benchWholePath } from "./whole-path.ts";

const sections: Readonly<Record<string, (show: ShowRow) => Promise<void>>> = {
  "quic-engines": benchQuicEngines,
  "whole-path": benchWholePath,
  "http-mode": benchHttpMode,
  peers: benchPeers,
  inspector: benchInspector,
  "inspector-turns": benchInspectorTurns,
  "idle-clients": benchIdleClients,
  cluster: benchCluster,
  start: benchStart,
  return: benchReturn,
  floods: benchFloods,
  "frame-floods": benchFrameFloods,
  "gateway-floods": benchGatewayFloods,
  "hostile-udp": benchHostileUdp,
  "worker-faults": benchWorkerFaults,
  "head-of-line": benchHeadOfLine,
  outages: benchOutages,
  "stalled-readers": benchStalledReaders,
  "broken-transfers": benchBrokenTransfers,
  "throughput-20": (show) => benchThroughput(20, show),
  "throughput-100": (show) => benchThroughput(100, show),
};

function format({ value }: BenchRow): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function print(row: BenchRow): void {
  const met = meetsTarget(row);
  const goal =
    met === undefined ? "" : `  ${met ? "meets" : "MISSES"} ${row.atMost ? "at most" : "at least"} ${row.target}`;
  process.stdout.write(`${row.name.padEnd(62)} ${format(row).padStart(8)} ${row.unit}${goal}\n`);
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in sections));
if (unknown !== undefined) {
  process.stderr.write(`There is no measurement "${unknown}". There are: ${Object.keys(sections).join(", ")}\n`);
  process.exit(2);
}
const results: Record<string, BenchRow[]> = {};
for (const [name, run] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n${name}\n`);
  const rows: BenchRow[] = [];
  results[name] = rows;
  await run((row) => {
    rows.push(row);
    print(row);
  });
}
const folder = new URL("../.cache/bench/", import.meta.url);
await mkdir(folder, { recursive: true });
const file = new URL("results.json", folder);
const machine = `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, Node ${process.versions.node}`;
await writeFile(file, `${JSON.stringify({ time: new Date().toISOString(), machine, results }, undefined, 2)}\n`);
process.stdout.write(`\n${machine}; also in .cache/bench/results.json\n`);
