import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const program = `
  import { useCompileCache } from "@porthole/common/compile-cache";
  useCompileCache();
  await import(process.argv[1]);
  console.log(process.env.NODE_COMPILE_CACHE ?? "none");
`;

describe("the compile cache", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-compile-cache-"));
    await writeFile(join(folder, "program.mjs"), "globalThis.used = () => 1;\n");
  });
  after(() => rm(folder, { recursive: true }));

  async function start(env: NodeJS.ProcessEnv): Promise<string> {
    const argv = ["--conditions=source", "--input-type=module", "--eval", program, join(folder, "program.mjs")];
    const options = { cwd: import.meta.dirname, env: { PATH: process.env["PATH"], ...env } };
    return (await run(process.execPath, argv, options)).stdout.trim();
  }

  it("is in the user's cache folder, and for the processes that the program starts", async () => {
    const home = process.platform === "win32" ? { LOCALAPPDATA: folder } : { HOME: folder };
    const used = await start(home);
    assert.ok(used.startsWith(folder), used);
    const files = await readdir(used, { recursive: true });
    assert.ok(files.length > 1, files.join());
  });

  it("is where the environment says, and nowhere where it says so", async () => {
    assert.equal(await start({ HOME: folder, NODE_COMPILE_CACHE: join(folder, "own") }), join(folder, "own"));
    assert.equal(await start({ HOME: folder, NODE_DISABLE_COMPILE_CACHE: "1" }), "none");
  });

  it("is not used without a home folder of the user's own", async () => {
    assert.equal(await start({ HOME: "/nonexistent", XDG_CACHE_HOME: "/dev/null/nowhere" }), "none");
  });
});
