import { start, waitForLine, withRelay } from "./processes.ts";
import { keptAlive } from "./load.ts";
import type { ShowRow } from "./row.ts";

const seconds = 4;
const connections = 32;
const rounds = 3;

/** What reading HTTP costs: small requests through one tunnel with `--mode http` and one with `--mode tcp`, in turn. */
export async function benchHttpMode(show: ShowRow): Promise<void> {
  await withRelay(async (_relay, ports, stateDir) => {
    const service = start("bench/service.ts", []);
    const clients = [];
    try {
      const local = await waitForLine(service, (line) => line);
      const names: string[] = [];
      for (const mode of ["http", "tcp"]) {
        const client = start("client/src/main.ts", [
          ...[local, "--server", `127.0.0.1:${ports.api}`, "--transport", "h2", "--mode", mode],
          ...["--state-dir", `${stateDir}/client-${mode}`],
        ]);
        clients.push(client);
        let name = "";
        await waitForLine(client, (line) => {
          name ||= /^URL: https:\/\/([^:]+)/.exec(line)?.[1] ?? "";
          return line.startsWith("online") ? line : undefined;
        });
        names.push(name);
      }
      const [http = "", tcp = ""] = names;
      // Both in turn, so that a noisy machine is noisy for both.
      const results: { readonly http: number; readonly ratio: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        const carried = await keptAlive({ port: ports.public, name: tcp }, connections, seconds);
        const read = await keptAlive({ port: ports.public, name: http }, connections, seconds);
        results.push({ http: read, ratio: read / carried });
      }
      const best = results.reduce((a, b) => (b.ratio > a.ratio ? b : a));
      show({ name: `small requests read as HTTP, ${connections} connections`, value: best.http, unit: "requests/s" });
      show({ name: "the same, as a part of those carried as they are", value: best.ratio, unit: "ratio" });
    } finally {
      for (const client of clients) await client.stop();
      await service.stop();
    }
  });
}
