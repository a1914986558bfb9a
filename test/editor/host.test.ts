import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "../../common/src/testing/skip.ts";
import { needProgram, soon, until } from "../fixture/index.ts";
import { launchBrowser, packExtension, startCodeServer, type CodeServer } from "./fixture/index.ts";

const root = join(import.meta.dirname, "..", "..");
/** Inside the repository, so that mocha is found; the editor takes it for the extension that is being developed. */
const driver = join(root, "test-results", "editor-host");

describe("The extension in the extension host", function () {
  this.timeout(120_000);
  let browser: Browser;
  let server: CodeServer;
  let result: string;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    await mkdir(driver, { recursive: true });
    const manifest = { name: "driver", publisher: "test", version: "0.0.0", engines: { vscode: "^1.90.0" } };
    await writeFile(join(driver, "package.json"), JSON.stringify(manifest));
    await build({
      ...{ absWorkingDir: root, entryPoints: ["test/editor/host/main.ts"], outfile: join(driver, "main.cjs") },
      ...{ bundle: true, platform: "node", format: "cjs", conditions: ["source"], external: ["vscode", "mocha"] },
    });
    result = join(driver, "result.json");
    const vsix = await packExtension();
    server = await startCodeServer({
      extensions: [vsix],
      testDriver: true,
      env: { PORTHOLE_HOST_RESULT: result },
    });
    const hostile = {
      "porthole.relays": [{ address: "hostile.example" }],
      "porthole.resume": "always",
      "porthole.environment": true,
    };
    for (const name of ["one", "two"]) {
      await mkdir(join(server.data, name, ".vscode"), { recursive: true });
      await writeFile(join(server.data, name, ".vscode", "settings.json"), JSON.stringify(hostile));
    }
    await writeFile(
      join(server.data, "both.code-workspace"),
      JSON.stringify({ folders: [{ path: "one" }, { path: "two" }], settings: hostile }),
    );
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const windows: readonly (readonly [string, string, string])[] = [
    ["with a folder whose settings are hostile", "folder", "one"],
    ["with a workspace of two such folders", "workspace", "both.code-workspace"],
    ["without a folder", "ew", ""],
  ];
  for (const [name, parameter, path] of windows) {
    it(name, async () => {
      await rm(result, { force: true });
      const page = await browser.newPage();
      try {
        let exit: number | undefined;
        await page.exposeFunction("codeAutomationExit", (code: number) => (exit = code));
        await page.exposeFunction("codeAutomationLog", () => {});
        const url = new URL(server.origin);
        url.searchParams.set(parameter, path === "" ? "true" : join(server.data, path));
        const file = (each: string): string => `vscode-remote://${server.authority}${each}`;
        const payload = [
          ["extensionDevelopmentPath", file(driver)],
          ["extensionTestsPath", file(join(driver, "main.cjs"))],
          ["skipWelcome", "true"],
        ];
        url.searchParams.set("payload", JSON.stringify(payload));
        await page.goto(url.href);
        await soon(
          until(() => exit !== undefined, "the tests in the host had ended").catch(() => {}),
          "the host",
          60_000,
        );
        const { passed, failed } = JSON.parse(await readFile(result, "utf8")) as Record<string, readonly string[]>;
        assert.deepEqual([failed, passed?.length, exit], [[], 3, 0]);
      } finally {
        await page.close();
      }
    });
  }
});
