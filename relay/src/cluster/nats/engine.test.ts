import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const program = `
  import { createRequire } from "node:module";
  await import(${JSON.stringify(new URL("../../index.ts", import.meta.url).href)});
  const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("@nats-io"));
  process.stdout.write(JSON.stringify(loaded));
`;

describe("the engine of a cluster", function () {
  this.timeout(120_000);

  it("is not loaded by a relay that is alone", async () => {
    const args = ["--conditions=source", "--input-type=module", "--eval"];
    const load = "await import('@nats-io/transport-node');";
    const loaded = async (text: string): Promise<string[]> =>
      JSON.parse(
        (await promisify(execFile)(process.execPath, [...args, text], { cwd: import.meta.dirname })).stdout,
      ) as string[];
    assert.deepEqual(await loaded(program), []);
    // It would be seen.
    assert.ok((await loaded(program.replace("const loaded", `${load} const loaded`))).length > 0);
  });
});
