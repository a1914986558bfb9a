import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startNats, whyNoNats, type NatsServer } from "@porthole/testing/nats";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import {
  freePort,
  get,
  isFull,
  siteOf,
  startCli,
  startHttp,
  startTestClient,
  until,
  useScope,
  type Running,
  type Site,
} from "@porthole/testing/end-to-end";

interface Seat {
  readonly apiPort: number;
  readonly publicPort: number;
  readonly args: readonly string[];
}

/** Three relays and three NATS servers, each a process, under load. */
describe("A cluster whose parts fail", function () {
  this.timeout(300_000);
  const scope = useScope();
  let nats: Awaited<ReturnType<typeof startNats>> | undefined;

  before(async function () {
    this.timeout(600_000);
    skipUnless(this, isFull, platformReason("it takes minutes: npm run test:full"));
    const missing = await whyNoNats();
    skipUnless(this, missing === undefined, platformReason(missing ?? ""));
    nats = await startNats(3);
  });
  after(() => nats?.close());

  it("loses no request but those through a killed relay", async () => {
    const servers = nats?.servers ?? assert.fail();
    const seats = await Promise.all([0, 1, 2].map(() => seatOf(servers)));
    const [first, second, third] = seats as [Seat, Seat, Seat];
    const relays: Running[] = [];
    for (const seat of seats) relays.push(await startAt(seat));
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    // Its links are at two relays of three.
    const client = await startTestClient(scope, {
      ...{ servers: [first.apiPort, second.apiPort], transport: "http2", local: service.local },
    });
    const site = await siteOf(client, { relay: 1 });
    const load = startLoad({ ...site, port: third.publicPort });
    scope.defer(() => load.stop());
    await load.answered(100);

    // The engine: each server in turn by kill -9, then all at once for a while.
    for (const server of servers) {
      await server.stop("SIGKILL");
      await load.answered(100);
      await server.start();
    }
    await Promise.all(servers.map((server) => server.stop("SIGKILL")));
    await pause(10_000);
    await load.answered(100);
    await Promise.all(servers.map((server) => server.start()));
    assert.deepEqual(load.failures, [], "without the engine");

    // A rolling restart of the relays with the client.
    for (const index of [0, 1]) {
      assert.equal((await relays[index]?.kill("SIGTERM"))?.code, 0);
      await load.answered(50);
      relays[index] = await startAt(seats[index] as Seat);
      await client.when("both links", ({ endpoints: [endpoint] }) =>
        endpoint?.relays[index]?.now.status === "online" ? true : undefined,
      );
      await load.answered(50);
    }
    assert.deepEqual(load.failures, [], "in a rolling restart");

    // Requests under way through a killed relay fail, and the next ones are served within a second.
    await relays[0]?.kill("SIGKILL");
    const killedAt = performance.now();
    await pause(1_000);
    const failed = load.failures.length;
    await load.answered(100);
    assert.equal(load.failures.length, failed, load.failures.join());
    assert.ok(load.failedAt.every((at) => at < killedAt + 1_000));
    await client.stop();
    assert.equal(await get({ ...site, port: third.publicPort }).catch(() => "gone"), "gone");
  });

  async function seatOf(servers: readonly NatsServer[]): Promise<Seat> {
    const [stateDir, apiPort, publicPort, peerPort] = await Promise.all([
      scope.folder(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const secretPath = join(stateDir, "cluster-secret");
    await writeFile(secretPath, "a secret of at least thirty-two characters");
    const engine = servers.flatMap(({ url }) => ["--cluster", url]);
    return {
      ...{ apiPort, publicPort },
      args: [
        ...["--state-dir", stateDir, "--api-port", String(apiPort), "--pub-port", String(publicPort), "--json"],
        ...["--peer-port", String(peerPort), "--drain", "20s", "--startup-grace", "15s"],
        ...[...engine, "--cluster-name", "failures", "--cluster-secret-file", secretPath],
      ],
    };
  }

  async function startAt({ args }: Seat): Promise<Running> {
    const relay = startCli(scope, "relay", args);
    await relay.line(/Relay is ready/);
    return relay;
  }
});

/** Four visitors, each with one request after the other on new connections. */
function startLoad(site: Site) {
  const failures: string[] = [];
  const failedAt: number[] = [];
  let count = 0;
  const over = new AbortController();
  const workers = [0, 1, 2, 3].map(async () => {
    while (!over.signal.aborted) {
      try {
        assert.equal(await get(site), "hello");
        count += 1;
      } catch (reason) {
        failures.push(String(reason));
        failedAt.push(performance.now());
      }
      await pause(5);
    }
  });
  return {
    failures,
    failedAt,
    async answered(more: number): Promise<void> {
      const goal = count + more;
      await until(
        () => count >= goal,
        () => `${goal} requests were answered, not ${count}; failed: ${failures.join("; ")}`,
      );
    },
    async stop(): Promise<void> {
      over.abort();
      await Promise.all(workers);
    },
  };
}
