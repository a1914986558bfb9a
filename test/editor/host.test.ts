import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isFull, run, until } from "@porthole/testing/end-to-end";
import {
  buildHostDriver,
  openPage,
  useEditor,
  type CodeServer,
  type CodeServerOptions,
  type HostDriver,
  type Workbench,
} from "@porthole/testing/editor";

describe("The extension in the extension host", function () {
  this.timeout(300_000);
  let driver: HostDriver;
  const options = (): CodeServerOptions => ({ testDriver: true, env: { PORTHOLE_HOST_RESULT: driver.result } });
  const editor = useEditor({
    lasts: "suite",
    async server() {
      driver = await buildHostDriver();
      return options();
    },
  });
  /** Asks whom it may trust, and nobody answers. */
  let distrustful: CodeServer;

  before(async function () {
    this.timeout(300_000);
    distrustful = await editor.startServer({
      ...options(),
      workspaceTrust: true,
      settings: { "security.workspace.trust.startupPrompt": "never" },
    });
    // One setting is the project's, and only describes. One that a workspace makes up is no more than text.
    const hostile = {
      "porthole.autoExpose": ["169.254.169.254:80"],
      "porthole.routes": { "/": "169.254.169.254:80" },
      "porthole.relays": [{ address: "hostile.example" }],
      "porthole.resume": "always",
      "porthole.environment": true,
      "http.proxy": "http://hostile.example:3128",
      "http.noProxy": ["hostile.example"],
    };
    for (const { data } of [editor.server, distrustful]) {
      for (const name of ["one", "two"]) {
        await mkdir(join(data, name, ".vscode"), { recursive: true });
        const port = name === "one" ? "80" : "81";
        const ports = { [port]: { route: ["/=169.254.169.254:80"], "auto-expose": ["open"] } };
        const ofFolder = { ...hostile, "porthole.ports": ports };
        await writeFile(join(data, name, ".vscode", "settings.json"), JSON.stringify(ofFolder));
      }
      const both = { folders: [{ path: "one" }, { path: "two" }], settings: hostile };
      await writeFile(join(data, "both.code-workspace"), JSON.stringify(both));
    }
  });

  const windows: readonly (readonly [string, string, string, boolean])[] = [
    ["with two folders whose settings are hostile", "workspace", "both.code-workspace", true],
    ["with one such folder", "folder", "one", true],
    ["without a folder", "ew", "", true],
    ["with such a folder that is not trusted", "folder", "one", false],
    ["with two such folders that are not trusted", "workspace", "both.code-workspace", false],
  ];
  /** In small the window with the most hostile settings comes once with trust and once without: each takes half a minute of a processor. */
  const some = isFull ? windows : windows.filter(([, parameter]) => parameter === "workspace");
  for (const [name, parameter, path, trust] of some) {
    it(name, async () => {
      await rm(driver.result, { force: true });
      const page = await openPage(editor.browser);
      try {
        let exit: number | undefined;
        await page.exposeFunction("codeAutomationExit", (code: number) => (exit = code));
        await page.exposeFunction("codeAutomationLog", () => {});
        const { origin, data, authority } = trust ? editor.server : distrustful;
        const url = new URL(origin);
        url.searchParams.set(parameter, path === "" ? "true" : join(data, path));
        const file = (each: string): string => `vscode-remote://${authority}${each}`;
        const payload = [
          ["extensionDevelopmentPath", file(driver.folder)],
          ["extensionTestsPath", file(driver.tests)],
          ["skipWelcome", "true"],
        ];
        url.searchParams.set("payload", JSON.stringify(payload));
        await page.goto(url.href);
        await until(() => exit !== undefined, "the tests in the host had ended", 240_000);
        const { passed, failed, trusted } = JSON.parse(await readFile(driver.result, "utf8")) as {
          readonly passed: readonly string[];
          readonly failed: readonly string[];
          readonly trusted: boolean;
        };
        assert.deepEqual([failed, passed.length, exit, trusted], [[], 5, 0, trust]);
      } finally {
        await page.close();
      }
    });
  }

  it("is active in less than 100 ms, as the editor itself says", async function () {
    this.timeout(600_000);
    const workbench = await editor.open({ open: join(editor.server.data, "one") });
    const times: { readonly ms: number; readonly alone: number }[] = [];
    // The best of several: a machine that does something else makes any of them longer.
    while (times.length < 12 && !times.some(({ alone }) => alone < 100)) {
      if (times.length > 0) await workbench.reload();
      const ms = await activationMs(workbench);
      times.push({ ms, alone: ms / (await slowdown()) });
    }
    const report = times.map(({ ms, alone }) => `${ms} ms (${Math.round(alone)} ms alone)`).join(", ");
    console.log(`      activation: ${report}`);
    assert.ok(
      times.some(({ alone }) => alone < 100),
      report,
    );
  });

  /** How much longer the present extension host takes for everything because others have the processor (Linux' sched-stats.rst). */
  async function slowdown(): Promise<number> {
    const { stdout } = await run("pgrep", [
      "--newest",
      "--pgroup",
      String(editor.server.pid),
      "--full",
      "type=extensionHost",
    ]);
    const [ranNs = 0, waitedNs = 0] = (await readFile(`/proc/${stdout.trim()}/schedstat`, "utf8"))
      .split(" ")
      .map(Number);
    return (ranNs + waitedNs) / ranNs;
  }
});

/** What the editor itself says of our activation, in milliseconds. Leaves the list of running extensions open. */
async function activationMs(workbench: Workbench): Promise<number> {
  await workbench.command("Developer: Show Running Extensions");
  const list = workbench.page.locator(".runtime-extensions-editor");
  await list.hover();
  const time = list.locator(".extension").filter({ hasText: "Porthole" }).locator(".activation-time");
  const isThere = async (): Promise<boolean> => {
    // Rows below the fold are not there, and those just below it are not to be seen.
    const [whole, row] = [await list.boundingBox(), (await time.count()) > 0 ? await time.boundingBox() : null];
    if (whole && row && row.y + row.height < whole.y + whole.height) return true;
    await workbench.page.mouse.wheel(0, 200);
    await pause(100);
    return false;
  };
  await until(isThere, "the extension is in the list of those that run");
  const [, ms] = /Activation: (\d+)ms/.exec(await time.innerText()) ?? [];
  assert.ok(ms, "the time of its activation");
  return Number(ms);
}
