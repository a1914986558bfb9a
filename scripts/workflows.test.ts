import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, ".github", "workflows");
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };

describe("workflows", () => {
  for (const name of readdirSync(folder))
    it(`run what there is: ${name}`, () => {
      const text = readFileSync(join(folder, name), "utf8");
      const run = [...text.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script = ""]) => script);
      const missing = run.filter((script) => !(script in scripts) && !/^(dev|build|test:)/.test(script));
      assert.deepEqual(missing, []);
      const paths = [...text.matchAll(/(?<![\w./-])(?:scripts|test|docker|devcontainer-feature)\/[\w./@-]+/g)].map(
        ([path]) => path,
      );
      assert.deepEqual(
        paths.filter((path) => !path.includes("@") && !existsSync(join(root, path))),
        [],
      );
      // Jobs that wait for others wait for ones that exist.
      const jobs = [...(text.split(/^jobs:$/m)[1]?.matchAll(/^ {2}([\w-]+):$/gm) ?? [])].map(([, job = ""]) => job);
      assert.ok(jobs.length > 0);
      const needs = [...text.matchAll(/^ {4}needs: \[?([\w, -]+)/gm)].flatMap(([, list = ""]) => list.split(", "));
      assert.deepEqual(
        needs.filter((job) => !jobs.includes(job)),
        [],
      );
      for (const [, action = ""] of text.matchAll(/uses: (\S+)/g)) assert.match(action, /^[\w/-]+@v\d+$/);
    });
});
