import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "../../common/src/testing/skip.ts";
import { freePort, needProgram, startHttp, startTestRelay, useScope } from "../fixture/index.ts";
import { launchBrowser, packExtension, startCodeServer, Workbench } from "./fixture/index.ts";

const themes = {
  dark: "Default Dark Modern",
  light: "Default Light Modern",
  contrast: "Default High Contrast",
} as const;

/** Every surface once in each theme, as pictures for somebody to look at: test-results/editor/THEME SURFACE.png. */
describe("What the extension looks like", function () {
  this.timeout(180_000);
  const scope = useScope();
  let browser: Browser;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    await packExtension();
    browser = await launchBrowser();
  });
  after(() => browser?.close());

  for (const [theme, colorTheme] of Object.entries(themes))
    it(theme, async () => {
      const relayPort = await freePort();
      await startTestRelay(scope, {
        args: ["--api-port", String(relayPort), "--domain-suffix", "localhost", "--open"],
      });
      const site = await startHttp(scope, (request, response) => {
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify({ path: request.url, items: [1, 2, 3] }));
      });
      const server = await startCodeServer({
        extensions: [await packExtension()],
        settings: {
          "porthole.relays": [{ address: `127.0.0.1:${relayPort}` }],
          "porthole.certificates": "self-signed",
          "workbench.colorTheme": colorTheme,
        },
      });
      scope.defer(() => server.stop());
      const workbench = await Workbench.open(browser, server);
      scope.defer(() => workbench.close());
      const picture = (surface: string): Promise<void> => workbench.picture(`${theme} ${surface}`);
      const { page } = workbench;

      await workbench.showEndpoints();
      await workbench.endpointsPane.getByText("Expose a Port").first().waitFor();
      await workbench.frameWith(".rows");
      await picture("endpoints empty");

      await workbench.contextMenu(await workbench.forwarded(site.port), "Expose with Porthole");
      await workbench.notification("The URL is on the clipboard").waitFor();
      await picture("notification");
      const url = await workbench.clipboard();
      await workbench.dismissNotifications();
      await workbench.portRow(site.port).click({ button: "right", position: { x: 60, y: 10 } });
      await page.locator(".monaco-menu").getByText("Stop Exposing").waitFor();
      await picture("ports menu");
      await page.keyboard.press("Escape");

      await workbench.showEndpoints();
      await workbench.treeRow(/online/).click();
      await page.keyboard.press("ArrowRight");
      await workbench.treeRow("Local service").waitFor();
      await picture("endpoints");
      await workbench.statusBarItem.click();
      await workbench.quickPickRow(/Stop/).waitFor();
      await picture("actions");
      await workbench.pick("Show QR Code");
      await page.locator(".tab").filter({ hasText: "QR Code" }).waitFor();
      await workbench.frameWith("svg");
      await picture("QR code");

      await workbench.command("Porthole: Get Started");
      await page.locator(".gettingStartedContainer").getByText("Porthole").first().waitFor();
      await picture("walkthrough");
      await workbench.command("Porthole: Add a Relay");
      await page.locator(".quick-input-title").filter({ hasText: "Relay" }).waitFor();
      await picture("add a relay");
      await page.keyboard.press("Escape");

      const visitor = await browser.newPage();
      await visitor.goto(url);
      await visitor.evaluate("fetch('/orders', { method: 'POST', body: 'one' }).then(() => {})");
      await visitor.close();
      const view = await workbench.requestsView();
      await view.locator(".space .row").filter({ hasText: "/orders" }).first().click();
      await view.locator(".detail").getByText("Response Body").click();
      await view.locator(".detail pre").filter({ hasText: "items" }).waitFor();
      await picture("requests");

      // What the editor itself says; 100 ms on a machine that does nothing else.
      // The palette listens in the workbench, not in a page.
      await page.locator(".part.titlebar").click();
      await workbench.command("Developer: Show Running Extensions");
      const extension = page.locator(".runtime-extensions-editor .extension").filter({ hasText: "Porthole" }).first();
      const activation = await extension.locator(".activation-time").innerText();
      console.log(`      ${activation}`);
      assert.match(activation, /^(Startup )?Activation: \d{1,3}ms$/);
      await picture("running extensions");
    });
});
