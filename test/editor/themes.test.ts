import type { Browser, Locator } from "playwright-core";
import { WebSocketServer } from "ws";
import { platformReason, skipUnless } from "../../common/src/testing/skip.ts";
import { freePort, needProgram, startHttp, startTestRelay, useScope } from "../fixture/index.ts";
import { launchBrowser, openPage, packExtension, startCodeServer, Workbench } from "./fixture/index.ts";

const themes = {
  dark: "Default Dark Modern",
  light: "Default Light Modern",
  contrast: "Default High Contrast",
} as const;

/** Every surface once in each theme, as pictures for somebody to look at: test-results/editor/THEME SURFACE.png. */
describe("What the extension looks like", function () {
  this.timeout(600_000);
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
      const relay = await startTestRelay(scope, {
        args: ["--api-port", String(relayPort), "--domain-suffix", "localhost", "--open"],
      });
      const sockets = new WebSocketServer({ noServer: true });
      sockets.on("connection", (socket) =>
        socket.on("message", (data) => socket.send(`{"echo":"${(data as Buffer).toString()}"}`)),
      );
      scope.defer(() => sockets.close());
      const site = await startHttp(
        scope,
        (request, response) => {
          response.setHeader("Content-Type", "application/json");
          response.end(JSON.stringify({ path: request.url, items: [1, 2, 3] }));
        },
        {
          onUpgrade: (request, socket, head) =>
            sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws)),
        },
      );
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
      await workbench.notification("is on the clipboard").waitFor();
      await picture("notification");
      const url = await workbench.clipboard();
      await workbench.dismissNotifications();
      await workbench.portRow(site.port).click({ button: "right", position: { x: 60, y: 10 } });
      await page.locator(".monaco-menu").getByText("Stop Exposing").waitFor();
      await picture("ports menu");
      await page.keyboard.press("Escape");

      await workbench.command("Porthole: Add Secondary Endpoint");
      await workbench.quickInput("Add Secondary Endpoint");
      await picture("secondary");
      await page.keyboard.press("Enter");
      await workbench.copiedUrl(url);
      await workbench.showEndpoints();
      await workbench.treeRow(/online/).click();
      await page.keyboard.press("ArrowRight");
      await workbench.treeRow("Secondary").waitFor();
      await workbench.treeRow("Local service").waitFor();
      await picture("endpoints");
      await workbench.statusBarItem.click();
      await workbench.quickPickRow(/Stop/).waitFor();
      await picture("actions");
      await workbench.pick("Show QR Code");
      await page.locator(".tab").filter({ hasText: "QR Code" }).waitFor();
      await workbench.frameWith("svg");
      await picture("QR code");

      await workbench.command("Porthole: Check Every Hop");
      // Whatever it says: on a busy machine a hop may be too slow.
      const outcome = workbench.notification("Show Details");
      await outcome.waitFor();
      await workbench.notification("Checking every hop").waitFor({ state: "detached" });
      await picture("doctor outcome");
      await outcome.getByText("Show Details").click();
      await workbench.frameWith("p strong");
      await workbench.dismissNotifications();
      await picture("doctor");

      await workbench.command("Porthole: Get Started");
      await page.locator(".gettingStartedContainer").getByText("Porthole").first().waitFor();
      await picture("walkthrough");
      await workbench.command("Porthole: Join a Relay");
      await workbench.quickInput("Join a Relay");
      await picture("join a relay");
      await workbench.answer(
        `vscode://porthole.porthole/join?relay=127.0.0.1:${relayPort}&pin=${relay.fingerprint}&token=for-the-picture`,
      );
      await page.locator(".monaco-dialog-box").getByText("Join the relay").waitFor();
      await picture("join a relay, asked");
      await page.keyboard.press("Escape");
      await workbench.command("Porthole: Add a Relay");
      await workbench.quickInput("Add a Relay (1/2)");
      await picture("add a relay 1");
      await workbench.answer(`127.0.0.1:${relayPort}`);
      await workbench.quickInput("Add a Relay (2/2)");
      await picture("add a relay 2");
      await workbench.answer(relay.fingerprint);
      await workbench.notification(/QUIC .*; HTTP\/2 works/).waitFor();
      await picture("add a relay, tested");
      await workbench.dismissNotifications();

      const visitor = await openPage(browser);
      await visitor.goto(url);
      await visitor.evaluate("fetch('/orders', { method: 'POST', body: 'one' }).then(() => {})");
      const view = await workbench.requestsView();
      const row = (text: string): Locator => view.locator(".space .row").filter({ hasText: text }).first();
      const detail = view.locator(".detail");
      await row("/orders").click();
      await detail.getByRole("tab", { name: "Response" }).click();
      await detail.locator("pre").filter({ hasText: "items" }).waitFor();
      await picture("requests");
      await detail.getByRole("tab", { name: "Headers" }).click();
      await detail.getByText("content-type").first().waitFor();
      await picture("requests headers");
      await detail.getByText("Edit and Replay").click();
      await detail.locator("textarea:not([disabled])").last().waitFor();
      await picture("requests edit");

      await visitor.evaluate(
        "new Promise((done) => { const socket = new WebSocket(location.origin.replace('https', 'wss') + '/live'); let left = 5; socket.onopen = () => socket.send('hello'); socket.onmessage = ({ data }) => --left > 0 ? socket.send(`number ${left}`) : done(); })",
      );
      await row("WS").click();
      await detail.getByRole("tab", { name: "Messages" }).click();
      await detail.locator(".messages .text").filter({ hasText: "number 1" }).last().waitFor();
      await picture("requests messages");
      await visitor.close();

      await workbench.activationMs();
      await picture("running extensions");
    });
});
