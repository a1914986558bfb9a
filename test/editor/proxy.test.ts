import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { needProgram, startHttp, startProxy, startTestRelay, useScope } from "@porthole/testing/end-to-end";
import { launchBrowser, openPage, packExtension, startCodeServer, Workbench } from "@porthole/testing/editor";

describe("The extension in an editor behind an HTTP proxy", function () {
  this.timeout(300_000);
  let browser: Browser;
  let vsix: string;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    vsix = await packExtension();
    browser = await launchBrowser();
  });
  after(() => browser?.close());

  const scope = useScope();

  it("gets through as soon as the user sets http.proxy, and never by that of a workspace", async () => {
    const [relay, site, proxy, hostile] = await Promise.all([
      startTestRelay(scope, { args: ["--domain-suffix", "localhost", "--open"] }),
      startHttp(scope, (_request, response) => response.end("through the proxy")),
      startProxy(scope),
      startProxy(scope),
    ]);
    // Nobody but a proxy knows the name.
    const address = `relay.test:${relay.apiPort}`;
    const server = await startCodeServer({
      extensions: [vsix],
      settings: {
        "porthole.relays": [{ address, fingerprint: relay.fingerprint }],
        "porthole.certificates": "self-signed",
        "porthole.defaultAccess": "public",
        "porthole.transport": "h2",
      },
    });
    scope.defer(() => server.stop());
    await mkdir(join(server.workspace, ".vscode"));
    await writeFile(
      join(server.workspace, ".vscode", "settings.json"),
      JSON.stringify({ "http.proxy": hostile.url() }),
    );
    const workbench = await Workbench.open(browser, server);
    scope.defer(() => workbench.close());

    await workbench.command("Porthole: Expose with Porthole");
    await workbench.quickInput("Expose a Port");
    await workbench.pick(String(site.port));
    await workbench.showEndpoints();
    await workbench.treeRow(/relay unreachable/).waitFor();
    assert.deepEqual([proxy.targets, hostile.targets], [[], []]);

    await workbench.command("Preferences: Open User Settings");
    const settings = workbench.page.locator(".settings-editor");
    await settings.locator(".search-container").click();
    await workbench.page.keyboard.type("@id:http.proxy");
    await settings.locator('input[aria-label="http.proxy"]').fill(proxy.url());
    await workbench.treeRow(new RegExp(`${site.port}.*online`)).waitFor();
    const page = await openPage(browser);
    scope.defer(() => page.close());
    await page.goto(await workbench.copiedUrl());
    assert.equal(await page.locator("body").innerText(), "through the proxy");
    assert.deepEqual([[...new Set(proxy.targets)], hostile.targets], [[address], []]);
  });
});
