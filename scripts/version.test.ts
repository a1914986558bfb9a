import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { version } from "../common/src/version.ts";

interface Manifest {
  readonly version: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(new URL(`../${folder}/package.json`, import.meta.url), "utf8")) as Manifest;
}

describe("version", () => {
  for (const folder of [".", ...(manifest(".").workspaces ?? [])]) {
    it(`is the same in ${folder}/package.json`, () => {
      const { version: own, dependencies = {} } = manifest(folder);
      const ours = Object.entries(dependencies).filter(([name]) => name.startsWith("@porthole/"));
      assert.deepEqual([own, ...ours.map(([, wanted]) => wanted)], Array(ours.length + 1).fill(version));
    });
  }
});
