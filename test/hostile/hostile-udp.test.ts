import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import type { QuicWorkerFacts, Relay } from "@porthole/relay";
import {
  get,
  needQuic,
  siteOf,
  sized,
  start,
  startHttp,
  startTestClient,
  startTestRelay,
  ticketOf,
  useScope,
  type Site,
} from "@porthole/testing/end-to-end";
import { fresh } from "./worker-facts.ts";

const perSecond = 50_000;
const floodSeconds = sized(1, 2);

describe("Hostile UDP", function () {
  this.timeout(120_000);
  before(needQuic);
  // They come one after the other to the same relay, as they would.
  const scope = useScope({ lasts: "suite" });
  let relay: Relay;
  let sites: readonly Site[];

  /** A relay with visitors over HTTP/2 and over QUIC. */
  before(async () => {
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    relay = await startTestRelay(scope);
    const client = (transport: "http2" | "quic") =>
      startTestClient(scope, { servers: [relay.apiPort], local: service.local, transport });
    sites = await Promise.all([client("http2"), client("quic")].map(async (each) => siteOf(await each)));
  });

  for (const [kind, what] of [
    ["garbage", "random datagrams"],
    ["initials", "strangers' handshakes"],
    ["tickets", "handshakes of one that has a ticket"],
    ["versions", "versions that nobody speaks"],
  ] as const) {
    it(`${perSecond} ${what} a second: the engine sees none of them, and every visitor is served`, async () => {
      const earlier = await fresh(relay);
      const { accepted, answered } = earlier.engine;
      const begunAt = performance.now();
      const cpuBefore = await cpuMs(relay);
      const path = join(import.meta.dirname, "../../testing/src/end-to-end/flood-program.ts");
      const ticket = kind === "tickets" ? await ticketOf(scope, relay, generateKey()) : Buffer.alloc(0);
      const args = [String(relay.apiPort), kind, String(perSecond), String(floodSeconds), ticket.toString("hex")];
      const flood = start(scope, process.execPath, [path, ...args]);
      // The attacker's processors are not the relay's.
      setPriority(flood.child.pid ?? 0, constants.priority.PRIORITY_LOW);
      await flood.line(/ready/);
      const over = flood.line(/sent/);
      const visits = await visitUntil(sites, over);
      const sent = Number(/\d+/.exec(await over)?.[0]);
      const cpu = (await cpuMs(relay)) - cpuBefore;
      const facts = await fresh(relay);
      assert.equal(facts.engine.accepted, accepted);
      assert.equal(facts.restarts, 0);
      // What a process that has no time does not fetch the kernel throws away.
      const seen = total(facts) - total(earlier);
      assert.ok(seen > sent / 100, `${seen} of ${sent} were seen`);
      // 2,000 a second, whatever comes, and at once what one may have saved up.
      const seconds = (performance.now() - begunAt) / 1_000;
      assert.ok(facts.engine.answered - answered <= 2_000 * (seconds + 1));
      // A relay has other things to do, too, which count where the machine let the attacker send little.
      const allowedMs = 1_000 + sent / 20 + 10 * visits;
      const text = `${cpu} ms of processor time for ${sent} datagrams and ${visits} visits`;
      if (process.platform === "linux") assert.ok(cpu < allowedMs, text);
    });
  }
});

function total({ engine }: QuicWorkerFacts): number {
  return Object.values(engine.dropped).reduce((sum, count) => sum + count, engine.answered);
}

async function cpuMs(relay: Relay): Promise<number> {
  if (process.platform !== "linux") return 0;
  // User and system time in hundredths of a second: proc(5).
  const fields = (await readFile(`/proc/${relay.quic()?.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Requests to all sites in turn, each on a connection of its own; returns how many there were, and rejects when one is not answered. How
 * long each takes is measured in bench/hostile-udp.ts.
 */
async function visitUntil(sites: readonly Site[], over: Promise<unknown>): Promise<number> {
  const progress = { isOver: false };
  const end = over.finally(() => (progress.isOver = true));
  let visits = 0;
  for (; !progress.isOver; visits += sites.length) for (const site of sites) await get(site);
  await end;
  return visits;
}
