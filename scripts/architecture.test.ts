import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

describe("ARCHITECTURE.md", () => {
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const named = new Set(
    [...text.matchAll(/^\| `([\w/.{},-]+)`/gm)].flatMap(([, entry = ""]) => {
      const [, before = entry, choices = "", after = ""] = /^(.*)\{(.*)\}(.*)$/.exec(entry) ?? [];
      return choices.split(",").map((choice) => `${before}${choice}${after}`);
    }),
  );

  for (const name of ["common", "tunnel", "relay", "client", "extension"])
    it(`says what is in every folder of ${name}`, () => {
      const folders = readdirSync(join(root, name, "src"), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `${name}/src/${entry.name}`);
      const isNamed = (folder: string): boolean =>
        named.has(folder) || [...named].some((each) => each.startsWith(`${folder}/`));
      assert.deepEqual(
        folders.filter((folder) => !isNamed(folder)),
        [],
      );
    });
});
