import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Relay } from "@porthole/relay";
import {
  get,
  needQuic,
  siteOf,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
  type Site,
  type TestClient,
} from "@porthole/testing/end-to-end";

const returnSeconds = 45;

describe("The process that serves QUIC", function () {
  this.timeout(120_000);
  const scope = useScope();
  before(needQuic);

  const execArgv = [...process.execArgv];
  afterEach(() => {
    process.execArgv = execArgv;
  });

  for (const [what, harm] of [
    ["killed", (pid) => process.kill(pid, "SIGKILL")],
    ["hung", (pid) => process.kill(pid, "SIGSTOP")],
    ["over its memory cap", (pid) => process.kill(pid, "SIGUSR2")],
  ] as readonly (readonly [string, (pid: number) => void])[]) {
    it(`${what}: visitors over HTTP/2 continue, QUIC's don't wait for the end of the process, and QUIC comes back`, async () => {
      // Bit by bit: filling so much at once takes a busy machine longer than a QUIC worker may be silent.
      await hook(`
        const hoard = [];
        const grow = () => { if (hoard.push(Buffer.alloc(1024 * 1024, 1)) < 600) setTimeout(grow); };
        process.on("SIGUSR2", grow);`);
      const world = await twoClients(["--quic-memory", "512"]);
      await until(async () => (await world.quic.online()).transport === "quic", "QUIC was up");
      const pid = world.relay.quic()?.pid;
      assert.ok(pid);
      const isHarmed = (): boolean => world.relay.quic()?.pid === pid;
      harm(pid);
      const visiting = visitWhile(world.site.http2, isHarmed);
      assert.equal(await servedAgain(world.site.quic), "hello");
      // A visitor that is led around it only once it has been ended for its silence has waited for three seconds.
      if (what === "hung") assert.ok(isHarmed(), "it has been ended before somebody was served");
      await until(() => !isHarmed(), "the process was gone");
      assert.equal(await get(world.site.quic), "hello");
      const visits = await visiting;
      if (what === "hung") assert.ok(visits >= 3, `${visits} visits over HTTP/2 in three seconds`);
      await backOnQuic(world);
      assert.equal(await get(world.site.quic), "hello");
      assert.equal(world.relay.quic()?.restarts, 1);
      const restarts = world.relay.events().events.filter(({ type }) => type === "quic-restart");
      assert.deepEqual(
        restarts.map(({ restarts: number }) => number),
        [1],
      );
    });
  }

  it("crashing as soon as it starts: HTTP/2 serves everyone, and QUIC comes when it is mended", async () => {
    const broken = join(await scope.folder(), "broken");
    await writeFile(broken, "");
    await hook(`if ((await import("node:fs")).existsSync(${JSON.stringify(broken)})) process.exit(7);`);
    const world = await twoClients([]);
    assert.equal(await get(world.site.http2), "hello");
    assert.equal(await get(world.site.quic), "hello");
    const { transport, whyNotQuic } = await world.quic.online();
    assert.equal(transport, "http2");
    assert.match(whyNotQuic ?? "", /The relay has no QUIC at present/);
    await rm(broken);
    await backOnQuic(world);
    assert.equal(await get(world.site.quic), "hello");
  });

  interface World {
    readonly relay: Relay;
    /** The client that has QUIC. */
    readonly quic: TestClient;
    readonly site: { readonly quic: Site; readonly http2: Site };
  }

  /** One that uses HTTP/2 only, and one that prefers QUIC, at one relay. */
  async function twoClients(args: readonly string[]): Promise<World> {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const relay = await startTestRelay(scope, { args });
    const start = (more: readonly string[]): Promise<TestClient> =>
      startTestClient(scope, { servers: [relay.apiPort], local: service.local, args: more });
    const [quic, http2] = await Promise.all([start([]), start(["--force-h2"])]);
    return { relay, quic, site: { quic: await siteOf(quic), http2: await siteOf(http2) } };
  }

  /** A module that is loaded into the QUIC worker's process before its own program. */
  async function hook(code: string): Promise<void> {
    const path = join(await scope.folder(), "hook.mjs");
    await writeFile(path, `if (process.argv[1]?.includes("worker")) {\n${code}\n}`);
    process.execArgv = [...execArgv, "--import", pathToFileURL(path).href];
  }
});

async function backOnQuic({ quic }: { readonly quic: TestClient }): Promise<void> {
  const giveUpAt = performance.now() + returnSeconds * 1_000;
  for (;;) {
    const { transport, whyNotQuic } = await quic.online();
    if (transport === "quic") return;
    assert.ok(performance.now() < giveUpAt, `QUIC did not come back: ${whyNotQuic}`);
    await pause(50);
  }
}

/** One request after the other, each on a connection of its own; returns how many there were, and rejects when one is not answered. */
async function visitWhile(site: Site, isSo: () => boolean): Promise<number> {
  let visits = 0;
  for (; isSo(); visits++) await get(site);
  return visits;
}

async function servedAgain(site: Site): Promise<string> {
  let text: string | undefined;
  await until(async () => (text = await get(site).catch(() => undefined)) !== undefined, "visitors were served again");
  return text ?? "";
}
