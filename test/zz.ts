import { startTestRelay, startTestClient, type Scope } from "./fixture/index.ts";
import { systemClock } from "@porthole/common/util";
import { mkdtemp } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { dialHttp2 } from "@porthole/common/link/http2";
const ends: (() => unknown)[] = [];
const scope: Scope = { defer: (e) => void ends.push(e), folder: () => mkdtemp("/tmp/x/f-"), clock: systemClock };
const log = { debug: (f: object, m: string) => console.log("  log", m, JSON.stringify(f)), info: (f: object, m: string) => console.log("  info", m, JSON.stringify(f)), warn() {}, error() {} } as never;
const relay = await startTestRelay(scope, { log });
let stuck = 0;
for (let i = 0; i < 300 && stuck < 3; i++) {
  console.log("round", i);
  const client = await startTestClient(scope, { servers: [relay.apiPort], local: "3000", dialers: { http2: dialHttp2, quic: { available: false, reason: "x" } } });
  await client.online();
  const t0 = performance.now();
  const wait = (i % 60) * 0.2;
  while (performance.now() - t0 < wait) await new Promise(setImmediate);
  await client.stop();
  for (let k = 0; k < 100 && relay.counts().sockets > stuck; k++) await pause(5);
  if (relay.counts().sockets > stuck) { stuck = relay.counts().sockets; console.log("stuck after", wait, relay.counts());
  console.log(process.getActiveResourcesInfo().join(" ")); }
}
console.log("stuck", stuck, relay.counts());
await pause(20_000);
console.log(relay.counts());
process.exit();
