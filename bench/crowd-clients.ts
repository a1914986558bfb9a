// So many tunnels of the client's runtime in one process: COUNT API_PORT STATE_DIR. Prints `up N` whenever the number of those that are online changes.
import { join } from "node:path";
import { silentLogger } from "@porthole/common/log";
import { longestTimerMs, systemClock } from "@porthole/common/util";
import { createDialers } from "porthole";
import { parseLocalService } from "@porthole/tunnel/gateway";
import { prepareTunnel, runTunnel } from "@porthole/tunnel/tunnel";

const [count = "", apiPort = "", stateDir = ""] = process.argv.slice(2);
const stop = new AbortController();
const online = new Set<number>();
const dialers = createDialers(undefined);
let told = -1;

function tell(): void {
  if (online.size === told) return;
  told = online.size;
  process.stdout.write(`up ${told}\n`);
}

async function run(index: number): Promise<void> {
  const prepared = await prepareTunnel(
    {
      stateDir,
      servers: [{ text: `127.0.0.1:${apiPort}`, host: "127.0.0.1", port: Number(apiPort) }],
      endpoints: [{ role: "primary", key: { path: join(stateDir, `${index}.pem`) }, local: parseLocalService("9") }],
      transport: "auto",
      poolSize: 4,
      acme: undefined,
    },
    { clock: systemClock, log: silentLogger },
  );
  await runTunnel(
    {
      ...prepared,
      ...{ dialers, software: "bench", clock: systemClock, log: silentLogger },
      onState({ endpoints: [endpoint] }) {
        if (endpoint?.relays[0]?.now.status === "online") online.add(index);
        else online.delete(index);
        tell();
      },
    },
    stop.signal,
  );
}

// The clock's timers keep no process alive, and between two attempts there is nothing else.
const alive = setInterval(() => {}, longestTimerMs);
process.on("SIGTERM", () => stop.abort());
await Promise.all(Array.from({ length: Number(count) }, (_, index) => run(index))).catch(() => {});
clearInterval(alive);
