import assert from "node:assert/strict";
import { join } from "node:path";
import {
  figuresOf,
  get,
  siteOf,
  start,
  startCli,
  startHttp,
  startTestClient,
  until,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";

/** How fast it stays is measured in bench/floods.ts; here is shown that it stays, and that nothing of a flood does. */
describe("A relay that is flooded", function () {
  this.timeout(120_000);
  const scope = useScope();

  it("keeps serving others, turns away what is too much, and lets go of all of it", async () => {
    const [stateDir, service] = await Promise.all([
      scope.folder(),
      startHttp(scope, (request, response) => response.end("x".repeat(request.url === "/" ? 5 : 5_000_000))),
    ]);
    // As with a public name: on loopback one address may do what it likes.
    const relay = startCli(scope, "relay", [
      ...["--api-port", "0", "--pub-port", "0", "--admin-port", "0", "--state-dir", stateDir, "--json"],
      ...["--visitors-per-address", "50", "--links-per-address", "1000"],
      ...["--pending-clients", "10:30:100", "--max-penalty", "10m"],
    ]);
    const ready = JSON.parse(await relay.line(/Relay is ready/)) as Record<"api" | "public" | "admin", number>;
    const tenants = await Promise.all(
      ["quiet", "attacked"].map(() =>
        startTestClient(scope, {
          ...{ servers: [ready.api], transport: "http2", local: service.local },
          // All of its links are there once it is online.
          args: ["--pool-size", "1"],
        }),
      ),
    );
    const [quiet, attacked] = (await Promise.all(tenants.map((client) => siteOf(client)))) as [Site, Site];
    const atRest = await figuresOf(ready.admin);

    const limit = (name: string): string => `porthole_limited_total{limit="${name}"}`;
    for (const [kind, signs] of [
      ["connections", [limit("visitors-per-address")]],
      ["hellos", [limit("visitors-per-address")]],
      ["streams", [limit("visitors-per-address")]],
      // They are as many as one address may have, and each is an ordinary visitor.
      ["aborts", ['porthole_visitors_total{outcome="forwarded"}']],
      ["control", ['porthole_links_ended_total{transport="http2",code="limit"}']],
      ["handshakes", [limit("pending-clients"), limit("penalty")]],
    ] as const) {
      const before = await figuresOf(ready.admin);
      const program = join(import.meta.dirname, "../../testing/src/end-to-end/flooder.ts");
      const args = ["--conditions=source", program, kind, String(ready.api), String(ready.public), attacked.hostname];
      const flooder = start(scope, process.execPath, args);
      await flooder.line(/flooding/);
      for (let i = 0; i < 25; i++) assert.equal(await get(quiet), "xxxxx", `in a flood of ${kind}`);
      assert.equal(flooder.child.exitCode, null, `the flooder has stopped in ${kind}`);
      await until(async () => {
        const now = await figuresOf(ready.admin);
        return signs.some((name) => (now.get(name) ?? 0) > (before.get(name) ?? 0));
      }, `somebody was turned away in a flood of ${kind}`);
      await flooder.kill();
      await until(async () => {
        const now = await figuresOf(ready.admin);
        const left = ["porthole_sockets", "porthole_pending_hellos", "porthole_pending_clients", "porthole_clients"];
        return left.every((name) => now.get(name) === atRest.get(name));
      }, `the relay let go of the ${kind}`);
    }
    const grown = Number((await figuresOf(ready.admin)).get("process_resident_memory_bytes"));
    const mebibytes = (grown - Number(atRest.get("process_resident_memory_bytes"))) / 1024 ** 2;
    // What a process once needed it keeps for a while; what it needs for each of these floods is many times as much.
    assert.ok(mebibytes < 150, `the relay has grown by ${Math.round(mebibytes)} MiB`);
    for (const client of tenants) await client.stop();
    assert.equal((await relay.kill("SIGTERM")).code, 0);
  });
});
