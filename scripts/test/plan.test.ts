import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { planJobs, suites, testFiles } from "./plan.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

describe("planJobs", () => {
  it("gives each end-to-end file a process, and shares those of a package's unit tests", () => {
    const units = Array.from({ length: 30 }, (_, index) => `common/src/${index}.test.ts`);
    const jobs = planJobs(["test/relay/a.test.ts", "client/src/b.test.ts", ...units]);
    assert.deepEqual(
      jobs.map(({ name, files }) => [name, files.length]),
      [
        ["test/relay/a.test.ts", 1],
        ["client", 1],
        ["common 1/3", 10],
        ["common 2/3", 10],
        ["common 3/3", 10],
      ],
    );
    assert.deepEqual(jobs.flatMap(({ files }) => files).toSorted(), [
      "client/src/b.test.ts",
      ...units.toSorted(),
      "test/relay/a.test.ts",
    ]);
  });

  it("begins with what took longest", () => {
    const names = ["a", "b", "c"].map((name) => `test/relay/${name}.test.ts`);
    const last = { "test/relay/a.test.ts": 1, "test/relay/c.test.ts": 90_000 };
    const order = planJobs(names, last).map(({ name }) => name.slice(11, 12));
    assert.deepEqual(order, ["c", "b", "a"]);
  });

  it("begins with what is known to be long where nothing was measured", () => {
    const [first, second] = planJobs(testFiles(root, "test")).map(({ name }) => name);
    assert.deepEqual([first, second], ["test/network/network.test.ts", "test/editor/windows.test.ts"]);
  });
});

describe("The suites", () => {
  it("have every test file of the repository, each once", () => {
    const planned = Object.values(suites)
      .flat()
      .flatMap((folder) => testFiles(root, folder));
    const folders = readdirSync(root).filter((name) => !name.startsWith(".") && name !== "node_modules");
    const all = folders.flatMap((folder) => testFiles(root, folder)).filter((file) => file.endsWith(".test.ts"));
    assert.deepEqual(planned.toSorted(), all.toSorted());
    for (const job of planJobs(planned)) for (const file of job.files) assert.ok(existsSync(join(root, file)));
  });
});
