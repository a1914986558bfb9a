// A program of its own, so that its heap is nothing but names.
import { silentLogger } from "@porthole/common/log";
import { createLink } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { systemClock } from "@porthole/common/util";
import { LinkBus } from "../relay/src/cluster/link-bus.ts";
import { NameMirror } from "../relay/src/cluster/name-mirror.ts";
import { NameTeller, namesTopic } from "../relay/src/cluster/name-teller.ts";
import { limits } from "../relay/src/cluster/limits.ts";
import { decodeNames, encodeNames } from "../relay/src/cluster/names-wire.ts";
import type { BenchRow } from "./row.ts";

const count = Number(process.env["PORTHOLE_BENCH_NAMES"] ?? 100_000);
const changes = 1_000;
const clock = systemClock;
const nameOf = (index: number): string => `${index.toString(36).padStart(26, "0")}.tunnel.example.com`;

const show = (row: BenchRow): void => void process.stdout.write(`${JSON.stringify(row)}\n`);
const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

// Links in memory and the clock's timers keep no process alive.
setInterval(() => {}, 1_000);
const served = new Set<string>();
const [told, heard] = [new LinkBus(silentLogger), new LinkBus(silentLogger)];
const teller = new NameTeller({ bus: told, clock, names: () => served });
let onArrival = (_name: string): void => {};
const mirror = new NameMirror({
  ...{ clock, graceMs: () => 0, onConfusion: () => {} },
  onArrival: (name) => onArrival(name),
});
heard.subscribe(namesTopic, (_from, bytes) => mirror.hear("home", decodeNames(bytes)));
for (let index = 0; index < count; index++) {
  served.add(nameOf(index));
  teller.changed(nameOf(index), true);
}
const pair = memoryConnectionPair();
const front = createLink(pair.relay, { clock, heartbeat: "watch" });
const home = createLink(pair.client, { clock, heartbeat: "send" });
const startedAt = performance.now();
const known = new Promise<void>((resolve) => {
  onArrival = () => {
    if (mirror.size === count) resolve();
  };
});
heard.hear("home", front.openStream());
const { value } = await home.incoming[Symbol.asyncIterator]().next();
if (value) told.listen("front", value);
await known;
show({ name: `${count} names, until another relay knows all`, value: performance.now() - startedAt, unit: "ms" });
const before = heap();
const alone = new NameMirror({ clock, graceMs: () => 0, onConfusion: () => {}, onArrival: () => {} });
alone.hear("home", { seq: 0, kind: "begin", added: [], removed: [] });
for (let from = 0; from < count; from += limits.namesPerMessage) {
  const added = Array.from({ length: limits.namesPerMessage }, (_, index) => nameOf(from + index));
  alone.hear("home", decodeNames(encodeNames({ seq: 0, kind: "part", added, removed: [] })));
}
show({ name: "memory of one of them there", value: (heap() - before) / alone.size, unit: "bytes" });

const delays: number[] = [];
for (let index = 0; index < changes; index++) {
  const name = `new-${index}.tunnel.example.com`;
  const putAt = performance.now();
  const seen = new Promise<void>((resolve) => {
    onArrival = (arrived) => {
      if (arrived === name) resolve();
    };
  });
  served.add(name);
  teller.changed(name, true);
  await seen;
  delays.push(performance.now() - putAt);
}
delays.sort((a, b) => a - b);
show({ name: "from a client's arrival until another relay knows, p50", value: delays[changes / 2] ?? 0, unit: "ms" });
show({ name: "the same, p99", value: delays[Math.floor(0.99 * changes)] ?? 0, unit: "ms" });
process.stdout.write("end\n");
process.exit(0);
