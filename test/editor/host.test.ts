import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "../../common/src/testing/skip.ts";
import { needProgram, soon, until } from "../fixture/index.ts";
import {
  buildHostDriver,
  launchBrowser,
  packExtension,
  startCodeServer,
  type CodeServer,
  type HostDriver,
} from "./fixture/index.ts";

describe("The extension in the extension host", function () {
  this.timeout(120_000);
  let browser: Browser;
  let server: CodeServer;
  let driver: HostDriver;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    driver = await buildHostDriver();
    const vsix = await packExtension();
    server = await startCodeServer({
      extensions: [vsix],
      testDriver: true,
      env: { PORTHOLE_HOST_RESULT: driver.result },
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
      await rm(driver.result, { force: true });
      const page = await browser.newPage();
      try {
        let exit: number | undefined;
        await page.exposeFunction("codeAutomationExit", (code: number) => (exit = code));
        await page.exposeFunction("codeAutomationLog", () => {});
        const url = new URL(server.origin);
        url.searchParams.set(parameter, path === "" ? "true" : join(server.data, path));
        const file = (each: string): string => `vscode-remote://${server.authority}${each}`;
        const payload = [
          ["extensionDevelopmentPath", file(driver.folder)],
          ["extensionTestsPath", file(driver.tests)],
          ["skipWelcome", "true"],
        ];
        url.searchParams.set("payload", JSON.stringify(payload));
        await page.goto(url.href);
        await soon(
          until(() => exit !== undefined, "the tests in the host had ended").catch(() => {}),
          "the host",
          60_000,
        );
        const { passed, failed } = JSON.parse(await readFile(driver.result, "utf8")) as Record<
          string,
          readonly string[]
        >;
        assert.deepEqual([failed, passed?.length, exit], [[], 3, 0]);
      } finally {
        await page.close();
      }
    });
  }
});
