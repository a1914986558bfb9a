import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runTests } from "@vscode/test-electron";
import { buildHostDriver } from "@porthole/testing/editor";

/**
 * `npm run test:electron`: the tests of the extension host in desktop VS Code, the oldest that is supported and the newest, which
 * @vscode/test-electron downloads. On Linux without a screen: `xvfb-run -a npm run test:electron`.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { folder: driver, tests, result } = await buildHostDriver();
for (const version of ["1.90.0", "stable"]) {
  const folder = await mkdtemp(join(tmpdir(), "porthole-electron-"));
  try {
    await rm(result, { force: true });
    await runTests({
      version,
      extensionDevelopmentPath: [root, driver],
      extensionTestsPath: tests,
      launchArgs: [folder, "--disable-workspace-trust"],
      extensionTestsEnv: { PORTHOLE_HOST_RESULT: result },
    });
    const { passed, failed } = JSON.parse(await readFile(result, "utf8")) as Record<string, readonly string[]>;
    console.log(`VS Code ${version}: ${passed?.length} passed, ${failed?.length} failed`);
    if (!passed?.length || failed?.length) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
