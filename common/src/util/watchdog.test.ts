import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs a program with a watchdog of half a second. */
async function run(body: string): Promise<{ readonly signal: string | null; readonly said: string }> {
  const url = new URL("./watchdog.ts", import.meta.url).href;
  const source = `const { startWatchdog } = await import(${JSON.stringify(url)});
    startWatchdog({ hangMs: 500, beatMs: 50 });
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    await wait(500);
    ${body}`;
  const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", source], {
    timeout: 50_000,
  });
  let said = "";
  for (const output of [child.stdout, child.stderr]) output.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  return { signal, said };
}

describe("watchdog", function () {
  this.timeout(60_000);

  it("ends a process that hangs in a loop, and says so", async () => {
    assert.deepEqual(await run("for (;;);"), {
      signal: "SIGKILL",
      said: "The program hung for 0.5 s of processor time and was ended.\n",
    });
  });

  it("leaves one alone that waits without a processor, or works in pieces, and does not keep it running", async () => {
    const waits = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);";
    const works =
      "for (const end = Date.now() + 1_500; Date.now() < end; await wait(1)) for (const stop = Date.now() + 20; Date.now() < stop;);";
    assert.deepEqual(await run(`${waits} ${works} console.log("done");`), { signal: null, said: "done\n" });
  });
});
