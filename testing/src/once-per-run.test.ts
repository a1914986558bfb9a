import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const file = pathToFileURL(join(import.meta.dirname, "once-per-run.ts")).href;

describe("oncePerRun", function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-once-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Processes that call it with the same body, and what each came to. */
  function callers(body: string): Promise<string[]> {
    const code = `
      import { appendFileSync } from "node:fs";
      import { oncePerRun } from ${JSON.stringify(file)};
      const make = async () => { ${body} };
      const twice = await Promise.allSettled([oncePerRun("it", make), oncePerRun("it", make)]);
      console.log(twice.map(({ status }) => status).join());`;
    const env = { ...process.env, PORTHOLE_TEST_RUN: folder, LOG: join(folder, "log") };
    const call = async (): Promise<string> => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
      return output.trim();
    };
    return Promise.all([call(), call(), call()]);
  }

  it("does something once for all processes, which wait for the end of it", async () => {
    const body = `await new Promise((resolve) => setTimeout(resolve, 100)); appendFileSync(process.env.LOG, "made");`;
    assert.deepEqual(await callers(body), Array(3).fill("fulfilled,fulfilled"));
    assert.equal(await readFile(join(folder, "log"), "utf8"), "made");
  });

  it("fails in every process when it failed in one", async () => {
    assert.deepEqual(await callers(`throw new Error("no")`), Array(3).fill("rejected,rejected"));
  });
});
