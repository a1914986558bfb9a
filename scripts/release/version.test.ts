import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../../common/src/version.ts";
import { changelogWith, notesOf, problemsOf, versionedFiles, withVersion } from "./version.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const changelog = "# Changelog\n\n## Unreleased\n\n### Added\n\n- b\n\n## 0.1.0 - 2026-01-02\n\n### Added\n\n- a\n";

describe("a release's version", () => {
  it("is set in every file that says it", () => {
    const files = execFileSync("git", ["ls-files", "*package.json", "*devcontainer-feature.json"], { cwd: root });
    const said = files
      .toString()
      .trim()
      .split("\n")
      .filter((path) => !/^(docs|test)\//.test(path));
    assert.deepEqual(
      [...said, "common/src/version.ts"].toSorted(),
      versionedFiles.map((path) => posix.normalize(path)).toSorted(),
    );
    for (const path of versionedFiles) {
      const text = readFileSync(join(root, path), "utf8");
      const next = withVersion(text, version, "9.8.7");
      assert.ok(!next.includes(`"${version}"`) && next.includes('"9.8.7"'), path);
      assert.equal(withVersion(next, "9.8.7", version), text, path);
    }
  });

  it("leaves other packages' versions alone", () => {
    const text =
      '{ "version": "1.0.0", "dependencies": { "@porthole/a": "1.0.0", "b": "1.0.0", "@porthole/c": "2.0.0" } }';
    const next = text.replace('"version": "1.0.0"', '"version": "1.1.0"').replace('a": "1.0.0"', 'a": "1.1.0"');
    assert.equal(withVersion(text, "1.0.0", "1.1.0"), next);
    assert.throws(() => withVersion("{}", "1.0.0", "1.1.0"), /no version 1\.0\.0/);
  });

  it("makes a section of what is unreleased", () => {
    const next = changelogWith(changelog, "0.2.0", "2026-02-03");
    assert.match(next, /## Unreleased\n\n## 0\.2\.0 - 2026-02-03\n\n### Added\n\n- b\n\n## 0\.1\.0/);
    assert.deepEqual(
      [notesOf(next, "0.2.0"), notesOf(next, "Unreleased"), notesOf(next, "0.3.0")],
      ["### Added\n\n- b", "", undefined],
    );
    for (const [text, wanted, why] of [
      [changelog, "0.1.0", /has 0\.1\.0 already/],
      [changelog, "v0.2.0", /is not a version/],
      [next, "0.3.0", /nothing under Unreleased/],
    ] as const)
      assert.throws(() => changelogWith(text, wanted, "2026-02-03"), why);
  });

  it("agrees with tag and changelog", () => {
    for (const [tag, own, count] of [
      [undefined, "0.2.0", 0],
      ["v0.1.0", "0.1.0", 0],
      ["v0.2.0", "0.1.0", 1],
      ["v0.2.0", "0.2.0", 1],
      ["0.1.0", "0.1.0", 1],
    ] as const)
      assert.equal(problemsOf({ tag, version: own, changelog }).length, count, `${tag} ${own}`);
  });
});
