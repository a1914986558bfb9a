import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const url = new URL("./watchdog.ts", import.meta.url).href;

/** Runs a program with a watchdog of half a second. */
async function run(body: string, options = "{}"): Promise<{ readonly signal: string | null; readonly said: string }> {
  const source = `const { startWatchdog } = await import(${JSON.stringify(url)});
    startWatchdog({ hangMs: 500, beatMs: 50, ...${options} });
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
      said: "The program hung for 0.5 s of processor time, and the process was ended.\n",
    });
  });

  it("leaves one alone that waits without a processor, or works in pieces, and does not keep it running", async () => {
    const waits = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);";
    const works =
      "for (const end = Date.now() + 1_500; Date.now() < end; await wait(1)) for (const stop = Date.now() + 20; Date.now() < stop;);";
    assert.deepEqual(await run(`${waits} ${works} console.log("done");`), { signal: null, said: "done\n" });
  });

  it("ends one that hangs in native code sooner, writes it down, and starts its successor", async () => {
    const folder = await mkdtemp(join(tmpdir(), "porthole-watchdog-"));
    try {
      const path = join(folder, "hangs.json");
      const calls = new URL("./native-calls.ts", import.meta.url).href;
      const program = `const { recordHangs } = await import(${JSON.stringify(url)});
        const { watchNativeCalls } = await import(${JSON.stringify(calls)});
        recordHangs({ path: ${JSON.stringify(path)}, hangs: 2 });
        const engine = watchNativeCalls({ recv: (hangs) => { while (hangs); return 7; } }, ["recv"]);
        if (engine.recv(false) !== 7) process.exit(1);
        await wait(500);
        engine.recv(true);`;
      const successor = `{ command: process.execPath, args: ["-e", "console.log('next', process.env.MARK)"], env: { MARK: "1" }, afterMs: 0, words: "On it goes.\\n" }`;
      const { signal, said } = await run(program, `{ hangMs: 60_000, nativeHangMs: 300, successor: ${successor} }`);
      assert.equal(signal, "SIGKILL");
      assert.match(said, /^QUIC's engine hung for 0\.3 s of processor time, and the process was ended\.$/m);
      assert.match(said, /^On it goes\.$/m);
      assert.match(said, /^next 1$/m);
      assert.equal((JSON.parse(await readFile(path, "utf8")) as { hangs: number }).hangs, 3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("starts no successor of one that has just taken another one's place", async () => {
    const successor = `{ command: process.execPath, args: ["-e", "console.log('next')"], env: {}, afterMs: 60_000, words: "On it goes." }`;
    const { signal, said } = await run("for (;;);", `{ successor: ${successor} }`);
    assert.equal(signal, "SIGKILL");
    assert.doesNotMatch(said, /next|On it goes/);
  });
});
