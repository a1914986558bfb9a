import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createVSIX } from "@vscode/vsce";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..", "..");

/** Packs `test/editor/sample` as an extension, and returns the file. It has the command "Sample: Run". */
export async function packSampleExtension(): Promise<string> {
  const results = join(root, "test-results");
  await mkdir(results, { recursive: true });
  const folder = await mkdtemp(join(results, "sample-"));
  try {
    const manifest = {
      ...{ name: "sample", publisher: "test", version: "0.0.1", engines: { vscode: "^1.90.0" }, main: "./main.cjs" },
      ...{ activationEvents: [], repository: "https://example.com/sample", license: "MIT" },
      contributes: { commands: [{ command: "sample.run", title: "Run", category: "Sample" }] },
      extensionDependencies: ["porthole.porthole"],
      files: ["main.cjs", "LICENSE", "README.md"],
    };
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await writeFile(join(folder, "LICENSE"), "MIT");
    await writeFile(join(folder, "README.md"), "For the tests of Porthole's API.");
    await build({
      ...{ absWorkingDir: root, entryPoints: ["test/editor/sample/main.ts"], outfile: join(folder, "main.cjs") },
      ...{ bundle: true, platform: "node", format: "cjs", conditions: ["source"], external: ["vscode"] },
    });
    const packagePath = join(results, "sample.vsix");
    await createVSIX({ cwd: folder, packagePath, dependencies: false });
    return packagePath;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
