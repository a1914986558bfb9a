import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { version } from "../common/src/version.ts";

interface Manifest {
  readonly version: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly homepage?: string;
  readonly repository?: object;
  readonly bugs?: object;
}

const address = "https://github.com/porthole/porthole";
const folders = [".", ...(manifest(".").workspaces ?? [])];

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(new URL(`../${folder}/package.json`, import.meta.url), "utf8")) as Manifest;
}

describe("version", () => {
  for (const folder of folders) {
    it(`is the same in ${folder}/package.json`, () => {
      const { version: own, dependencies = {} } = manifest(folder);
      const ours = Object.entries(dependencies).filter(([name]) => name.startsWith("@porthole/"));
      assert.deepEqual([own, ...ours.map(([, wanted]) => wanted)], Array(ours.length + 1).fill(version));
    });
  }

  it("is the same in clients/python", () => {
    const project = readFileSync(new URL("../clients/python/pyproject.toml", import.meta.url), "utf8");
    assert.equal(/^version = "(.*)"$/m.exec(project)?.[1], version);
  });

  it("is the same in clients/kotlin", () => {
    const project = readFileSync(new URL("../clients/kotlin/pom.xml", import.meta.url), "utf8");
    assert.equal(/<version>(.*)<\/version>/.exec(project)?.[1], version);
  });
});

describe("package.json", () => {
  for (const folder of folders) {
    it(`names the repository in ${folder}`, () => {
      const { homepage, repository, bugs } = manifest(folder);
      const place = folder === "." ? {} : { directory: folder };
      assert.deepEqual(
        { homepage, repository, bugs },
        {
          homepage: `${address}${folder === "." ? "" : `/tree/main/${folder}`}#readme`,
          repository: { type: "git", url: `git+${address}.git`, ...place },
          bugs: { url: `${address}/issues` },
        },
      );
    });
  }

  it("pins the Node of .nvmrc", () => {
    const pinned = readFileSync(new URL("../.nvmrc", import.meta.url), "utf8").trim();
    assert.equal(manifest(".").devDependencies?.["node"], pinned);
  });
});
