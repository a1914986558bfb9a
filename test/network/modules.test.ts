import assert from "node:assert/strict";
import { join } from "node:path";
import { skipUnless } from "@porthole/testing/skip";
import { needProgram, useScope } from "@porthole/testing/end-to-end";
import {
  createNetlab,
  netlabMissing,
  startLabTunnel,
  relayAddress,
  watchProgram,
  type Entry,
} from "@porthole/testing/netlab";

interface Loaded extends Entry {
  readonly sum: number;
  readonly count: number;
  readonly protocols: readonly string[];
  readonly ms: number;
}

const moduleCount = 500;
/** Where the machine is busy with something else, what it does itself takes its time; from farther away that counts for less. */
const delaysMs = [20, 20, 60, 200] as const;

describe("An unbundled development server, 20 ms away", function () {
  this.timeout(600_000);
  const scope = useScope();

  before(function () {
    const missing = netlabMissing();
    skipUnless(this, missing === undefined, missing ?? "");
    needProgram(this, "chromium");
  });

  it("500 modules load over HTTP/2 in at most half the time that six connections of HTTP/1.1 take", async () => {
    const lab = await createNetlab({ delayMs: delaysMs[0], lossPercent: 0 });
    scope.defer(() => lab.close());
    const folder = await scope.folder();
    const tunnel = await startLabTunnel(lab, {
      transport: "h2",
      folder,
      service: "testing/src/netlab/module-server.ts",
    });
    const { urls } = await tunnel.online("http2");

    async function load(version: "h2" | "http/1.1"): Promise<number> {
      const script = join(import.meta.dirname, "../../testing/src/netlab/module-page.ts");
      const argv = [process.execPath, script, urls[0] ?? "", relayAddress.fromUser, version];
      const browser = watchProgram(lab.exec("user", argv, { stdio: ["ignore", "pipe", "pipe"] }));
      const loaded = await browser.when(
        "the page to be loaded",
        (entries) => entries[0] as Loaded | undefined,
        180_000,
      );
      assert.deepEqual(loaded.protocols, [version]);
      assert.equal(loaded.count, moduleCount + 1);
      assert.equal(loaded.sum, (moduleCount * (moduleCount - 1)) / 2);
      return loaded.ms;
    }

    const ratios: number[] = [];
    for (const delayMs of delaysMs) {
      await lab.configure({ delayMs });
      ratios.push((await load("h2")) / (await load("http/1.1")));
      if (ratios.some((ratio) => ratio <= 0.5)) break;
    }
    assert.ok(
      ratios.some((ratio) => ratio <= 0.5),
      `HTTP/2 took ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")} of the time of HTTP/1.1`,
    );
    console.log(`      HTTP/2 took ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")} of the time of HTTP/1.1`);
  });
});
