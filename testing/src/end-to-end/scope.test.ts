import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runGroup } from "../../../scripts/test/run-group.ts";

const root = join(import.meta.dirname, "../../..");
const fixture = pathToFileURL(join(import.meta.dirname, "index.ts")).href;
const { signal } = new AbortController();

describe("what a test has started", function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-scope-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function run(
    tests: string,
  ): Promise<{ readonly passed: readonly { readonly title: string }[]; readonly failed: string[] }> {
    const file = join(folder, "a.test.ts");
    await writeFile(
      file,
      `import net from "node:net";
      import { startTestRelay, useScope } from ${JSON.stringify(fixture)};
      describe("a suite", function () {
        this.timeout(60_000);
        const scope = useScope();
        // To a relay whose deadlines never come.
        const clock = { ...scope.clock, timer: () => ({ cancel() {} }) };
        async function clientWhoStays() {
          const relay = await startTestRelay(scope, { clock });
          const socket = net.connect(relay.apiPort, "127.0.0.1");
          socket.on("error", () => {});
          await new Promise((resolve) => socket.on("connect", resolve));
          while (relay.counts().sockets === 0) await new Promise(setImmediate);
        }
        ${tests}
      });`,
    );
    const { passed, failed } = await runGroup({ root, files: [file], mochaArgs: [], signal, output: "ignore" });
    return { passed, failed: failed.map(({ title }) => title) };
  }

  it("ends with the test when that fails, whatever the relay still has, and counts once", async () => {
    const { passed, failed } = await run(`
      it("fails", async () => { await clientWhoStays(); throw new Error("no"); });
      it("takes too long", async function () {
        await clientWhoStays();
        this.timeout(1);
        await new Promise(() => {});
      });
      it("is the next one", () => {});
    `);
    assert.deepEqual(failed, ["a suite fails", "a suite takes too long"]);
    assert.deepEqual(
      passed.map(({ title }) => title),
      ["a suite is the next one"],
    );
  });

  it("is a failure when a part of it can't be ended, and the rest ends all the same", async () => {
    const { failed } = await run(`it("ends badly", async () => {
      await clientWhoStays();
      scope.defer(() => Promise.reject(new Error("no")));
    });`);
    assert.deepEqual(failed, [`a suite "after each" hook for "ends badly"`]);
  });
});
