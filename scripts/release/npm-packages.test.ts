import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { published, publishedManifest } from "./npm-packages.ts";

const root = join(import.meta.dirname, "../..");

describe("a package's manifest on npm", () => {
  it("has no sources, and names each door", () => {
    const manifest = {
      name: "@porthole/x",
      version: "1.0.0",
      devDependencies: { a: "1.0.0" },
      dependencies: { b: "1.0.0" },
      exports: {
        "./one": { source: "./src/one.ts", types: "./dist/one.d.ts", default: "./dist/one.js" },
        "./data.json": "./data.json",
        "./*": { source: "./src/*/index.ts", types: "./dist/*/index.d.ts", default: "./dist/*/index.js" },
      },
    };
    const files = ["dist/index.d.ts", "dist/one.d.ts", "dist/a/index.d.ts", "dist\\a\\b\\index.d.ts", "dist/a/c.d.ts"];
    assert.deepEqual(publishedManifest(manifest, files), {
      name: "@porthole/x",
      version: "1.0.0",
      dependencies: { b: "1.0.0" },
      exports: {
        "./one": { types: "./dist/one.d.ts", default: "./dist/one.js" },
        "./data.json": "./data.json",
        "./a": { types: "./dist/a/index.d.ts", default: "./dist/a/index.js" },
        "./a/b": { types: "./dist/a/b/index.d.ts", default: "./dist/a/b/index.js" },
      },
    });
  });

  for (const workspace of published)
    it(`has types for each door to code: ${workspace}`, async () => {
      const text = await readFile(join(root, workspace, "package.json"), "utf8");
      const { exports } = JSON.parse(text) as { readonly exports: Readonly<Record<string, unknown>> };
      const untyped = Object.entries(exports).filter(
        ([door, target]) => !door.endsWith(".json") && !(target instanceof Object && "types" in target),
      );
      assert.deepEqual(untyped, []);
    });
});
