import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { until } from "@porthole/testing/until";
import { runGroup, type Failure, type GroupResult } from "./run-group.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const skip = pathToFileURL(join(root, "testing", "src", "skip.ts")).href;
const never = new AbortController().signal;

const titles = (failed: readonly Failure[]): string[] => failed.map(({ title }) => title);

describe("runGroup", function () {
  this.timeout(120_000);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "porthole-run-group-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function run(code: string, env: NodeJS.ProcessEnv = {}, signal = never): Promise<GroupResult> {
    const file = join(folder, "a.test.ts");
    writeFileSync(file, code);
    return runGroup({
      ...{ root, files: [file], mochaArgs: [], signal, output: "ignore", goneWithinMs: 5_000 },
      env: { ...process.env, PORTHOLE_TEST_LINGER_MS: "300", CI: "", ...env },
    });
  }

  it("counts what passes and fails", async () => {
    const { passed, failed, skipped } = await run(`it("a", () => {}); it("b", () => { throw new Error("no"); });`);
    assert.deepEqual([passed.map(({ title }) => title), titles(failed), skipped], [["a"], ["b"], []]);
    assert.match(failed[0]?.detail ?? "", /^Error: no\n.*a\.test\.ts/);
  });

  it("knows why a test was skipped", async () => {
    const { skipped } = await run(`
      import { platformReason, skipUnless } from ${JSON.stringify(skip)};
      it("test", function () { skipUnless(this, false, "one"); });
      describe("suite", () => {
        before(function () { skipUnless(this, false, platformReason("two")); });
        it("first", () => {});
        it("second", () => {});
      });
      describe("each", () => {
        beforeEach(function () { skipUnless(this, this.currentTest?.title !== "out", "three"); });
        it("in", () => {});
        it("out", () => {});
      });
      // A skip without a reason is what is tested here.
      it.skip("mute", () => {});
    `);
    assert.deepEqual(Object.fromEntries(skipped.map(({ title, reason }) => [title, reason])), {
      test: "one",
      mute: undefined,
      "suite first": "two",
      "suite second": "two",
      "each out": "three",
    });
  });

  it("fails in CI what is skipped for a missing part, not for the platform", async () => {
    const code = `
      import { platformReason, skipUnless } from ${JSON.stringify(skip)};
      it("missing", function () { skipUnless(this, false, "no chromium"); });
      it("platform", function () { skipUnless(this, false, platformReason("no modes")); });
    `;
    const { failed, skipped } = await run(code, { CI: "true" });
    assert.deepEqual([titles(failed), skipped.map(({ title }) => title)], [["missing"], ["platform"]]);
  });

  it("fails for an unhandled rejection, in a test or after the last", async () => {
    const during = await run(`it("a", async () => {
      void Promise.reject(new Error("no"));
      // Node reports it at the end of the turn. The test is still running then, and must not end a second time after it has failed.
      await new Promise(() => {});
    });`);
    assert.deepEqual(titles(during.failed), ["a"]);
    const after = await run(`it("a", () => void setTimeout(() => Promise.reject(new Error("no")), 100));`);
    assert.match(titles(after.failed).join(), /^mocha ended with \d+ after its last test$/);
  });

  it("names what tests left open", async () => {
    const { passed, failed } = await run(`
      import net from "node:net";
      it("a", (done) => void net.createServer().listen(0, "127.0.0.1", done));
    `);
    assert.equal(passed.length, 1);
    assert.match(titles(failed).join(), /^Tests left something open.*listening on port \d+/);
  });

  it("finds and ends processes that tests left", async () => {
    const { failed } = await run(`
      import { spawn } from "node:child_process";
      it("a", () => spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { stdio: "ignore" }).unref());
    `);
    assert.match(titles(failed).join(), /^Tests left processes running: \d+: .*node -e setTimeout/);
  });

  it("fails when a test ends the process, and when a file doesn't load", async () => {
    const exit = await run(`it("a", () => process.exit(0));`);
    assert.deepEqual(titles(exit.failed), ["mocha ended early, with 0, in: a"]);
    const load = await run(`import "./nowhere.ts";`);
    assert.match(titles(load.failed).join(), /^mocha ended early, with 1/);
  });

  it("ends a run that takes too long, and says where it was", async () => {
    const isThere = join(folder, "is-stuck");
    const tooLong = new AbortController();
    const ended = run(
      `import { writeFileSync } from "node:fs";
      it("stuck", () => { writeFileSync(${JSON.stringify(isThere)}, ""); for (;;); });`,
      {},
      tooLong.signal,
    );
    await until(() => existsSync(isThere), "the test was stuck");
    tooLong.abort(new Error("The tests took too long"));
    assert.match(titles((await ended).failed).join(), /^The tests took too long, in: stuck$/);
  });
});
