import assert from "node:assert/strict";
import { join } from "node:path";
import {
  get,
  overEachTransport,
  runCli,
  siteAt,
  startCli,
  startHttp,
  useScope,
  type Running,
} from "@porthole/testing/end-to-end";

/** What a visitor downloads. */
const fileBytes = 2_000_000;

describe("What one client may carry", function () {
  this.timeout(180_000);
  const scope = useScope();

  overEachTransport((transport) => {
    it("in a month: the client learns when it may come again, and a restart forgets nothing", async () => {
      const relayState = await scope.folder();
      const first = await startRelay(relayState, ["--bytes-per-month", "1.5MB"]);
      const { client, site } = await startClient(first.api);
      // What is under way may finish.
      assert.equal((await get(site)).length, fileBytes);
      const told = await client.line(/carried as many bytes this month as this relay allows/);
      const month = new Date();
      const next = new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1, 1)).toISOString().slice(0, 10);
      assert.match(told, new RegExp(`It may come again on ${next}`));
      assert.match(told, /\d; trying again in /);
      assert.equal((await first.relay.kill("SIGTERM")).code, 0);
      assert.equal((await client.kill("SIGTERM")).code, 0);

      const second = await startRelay(relayState, ["--bytes-per-month", "1.5MB"]);
      const refused = startClient(second.api, client.stateDir);
      await assert.rejects(refused, /carried as many bytes this month/);
      assert.equal((await second.relay.kill("SIGTERM")).code, 0);

      const third = await startRelay(relayState, ["--bytes-per-month", "1GB"]);
      const served = await startClient(third.api, client.stateDir);
      const { stdout } = await runCli(scope, "relay", ["clients", "--json", "--state-dir", relayState]);
      const [listed] = JSON.parse(stdout) as { readonly bytesThisMonth: number; readonly bytesNow: number }[];
      assert.ok(listed && listed.bytesThisMonth >= fileBytes, stdout);
      assert.equal(listed.bytesNow, 0);
      assert.equal((await served.client.kill("SIGTERM")).code, 0);
    });

    it("in a second: its visitors share it", async () => {
      const { api } = await startRelay(await scope.folder(), ["--bandwidth", "1MB"]);
      const { site } = await startClient(api);
      const startedAt = performance.now();
      const files = await Promise.all([get(site), get(site)]);
      const seconds = (performance.now() - startedAt) / 1_000;
      for (const file of files) assert.equal(file.length, fileBytes);
      // 4 MB at 1 MB/s, less a burst of a quarter of a second. A busy machine only takes longer.
      assert.ok(seconds > 3.5, `${seconds} s`);
    });

    async function startClient(api: number, folder?: string) {
      const service = await startHttp(scope, (_request, response) => response.end("x".repeat(fileBytes)));
      const stateDir = folder ?? (await scope.folder());
      const flags = ["--transport", transport === "quic" ? "quic" : "h2", "--pool-size", "1"];
      const argv = [service.local, "--server", `127.0.0.1:${api}`, "--state-dir", stateDir, ...flags];
      const client = startCli(scope, "client", argv);
      const line = await client.line(/^online|allows/);
      if (!line.startsWith("online")) {
        await client.kill("SIGTERM");
        throw new Error(line);
      }
      const url = (await client.line(/^URL: /)).slice("URL: ".length);
      return {
        client: { ...client, stateDir } satisfies Running & { readonly stateDir: string },
        site: siteAt(url, join(stateDir, "primary-self-signed.pem")),
      };
    }
  });

  async function startRelay(stateDir: string, args: readonly string[]) {
    const ports = ["--api-port", "0", "--pub-port", "0"];
    const relay = startCli(scope, "relay", [...ports, "--json", "--state-dir", stateDir, ...args]);
    const { api } = JSON.parse(await relay.line(/Relay is ready/)) as { readonly api: number };
    return { relay, api };
  }
});
