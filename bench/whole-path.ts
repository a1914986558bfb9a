import { start, waitForLine, withRelay } from "./processes.ts";
import { download, keptAlive, newConnections, type Target } from "./load.ts";
import type { ShowRow } from "./row.ts";

const seconds = 5;
const connections = 32;
const downloadBytes = 1_000_000_000;
const rounds = 3;

/** Visitor, relay, client and local service: a process each, all on this machine, over 127.0.0.1. Best of three rounds. */
export async function benchWholePath(show: ShowRow): Promise<void> {
  await withRelay(async (_relay, ports, stateDir) => {
    const service = start("bench/service.ts", []);
    try {
      const servicePort = Number(await waitForLine(service, (line) => line));
      for (const transport of ["h2", "quic"] as const)
        await benchTransport(transport, ports, stateDir, servicePort, show);
    } finally {
      await service.stop();
    }
  });
}

async function benchTransport(
  transport: "h2" | "quic",
  ports: { readonly api: number; readonly public: number },
  stateDir: string,
  servicePort: number,
  show: ShowRow,
): Promise<void> {
  const client = start("client/src/main.ts", [
    ...[String(servicePort), "--server", `127.0.0.1:${ports.api}`, "--transport", transport],
    ...["--state-dir", `${stateDir}/client-${transport}`],
  ]);
  try {
    let name: string | undefined;
    await waitForLine(client, (line) => {
      name ??= /^URL: https:\/\/([^:]+)/.exec(line)?.[1];
      return line.startsWith("online") ? line : undefined;
    });
    const tunnel: Target = { port: ports.public, name: name ?? "" };
    const direct: Target = { port: servicePort };
    const connection = transport === "h2" ? "HTTP/2" : "QUIC";
    const isGoal = transport === "h2";
    const size = isGoal ? downloadBytes : downloadBytes / 10;
    const throughput = await best(() => download(tunnel, size));
    show({ name: `${connection}: one download`, value: throughput, unit: "MB/s", ...(isGoal && { target: 150 }) });
    // Both in turn, so that a noisy machine is noisy for both.
    const ratios: { readonly through: number; readonly ratio: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const without = await keptAlive(direct, connections, seconds);
      const through = await keptAlive(tunnel, connections, seconds);
      ratios.push({ through, ratio: through / without });
    }
    show({
      name: `${connection}: small requests, ${connections} connections kept alive`,
      value: Math.max(...ratios.map(({ through }) => through)),
      unit: "requests/s",
    });
    show({
      name: `${connection}: the same, as a part of the service without a tunnel`,
      value: Math.max(...ratios.map(({ ratio }) => ratio)),
      unit: "ratio",
      ...(isGoal && { target: 0.3 }),
    });
    const visitors = await best(() => newConnections(tunnel, connections, seconds));
    show({
      name: `${connection}: new visitors`,
      value: visitors,
      unit: "connections/s",
      ...(isGoal && { target: 400 }),
    });
  } finally {
    await client.stop();
  }
}

async function best(measure: () => Promise<number>): Promise<number> {
  let value = 0;
  for (let round = 0; round < rounds; round++) value = Math.max(value, await measure());
  return value;
}
