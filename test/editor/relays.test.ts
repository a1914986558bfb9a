import assert from "node:assert/strict";
import { startHttp, until } from "@porthole/testing/end-to-end";
import { useEditor } from "@porthole/testing/editor";

const sizes = [
  { width: 1_400, height: 900 },
  { width: 1_000, height: 600 },
  { width: 700, height: 450 },
];

describe("Relays and names in the editor", function () {
  this.timeout(600_000);
  const editor = useEditor();
  const { scope } = editor;

  it("a friendly name and a preview of a port; a relay is named, tested, and removed after a question", async () => {
    const quiet = { "porthole.notifyWhenReady": false, "remote.autoForwardPorts": false };
    const relay = await editor.startRelay(quiet);
    const address = `127.0.0.1:${relay.apiPort}`;
    const site = await startHttp(scope, (_request, response) => response.end("<h1>the shop</h1>"));
    const window = await editor.open();
    await window.showEndpoints();

    // Nothing is exposed: one row leads to it, another has the relays.
    await window.treeRow("Expose a Port…").click();
    await window.quickInput("Expose a Port");
    await window.pick(String(site.port));
    await window.copiedUrl();

    await window.command("Porthole: Friendly Name…");
    await window.answer("shop");
    const named = window.treeRow(/online.*shop\.localhost/);
    await named.waitFor();
    assert.equal((await editor.visit(`https://shop.localhost:${relay.publicPort}/`))?.text, "the shop");

    await window.command("Porthole: Preview in Editor");
    await window.page.locator(".tab.active").filter({ hasText: "Simple Browser" }).waitFor();
    const isShown = async (): Promise<boolean> => {
      const frames = window.page.frames().filter((frame) => frame.url().includes("shop.localhost"));
      for (const frame of frames) if ((await frame.getByText("the shop").count()) > 0) return true;
      return false;
    };
    await until(isShown, "the page is shown in the editor");

    await window.treeRow("Relays").click();
    await window.page.keyboard.press("ArrowRight");
    const row = window.treeRow(address);
    await row.waitFor();
    await window.contextMenu(row, "Name a Relay…");
    await window.answer("Office");
    await window.treeRow(/Office.*online/).waitFor();
    for (const size of sizes) {
      await window.page.setViewportSize(size);
      await window.picture(`relays at ${size.width}x${size.height}`);
    }
    await window.page.setViewportSize(sizes[0] ?? { width: 1_400, height: 900 });
    await window.contextMenu(window.treeRow("Office"), "Test a Relay");
    await window.notification(/QUIC works/).waitFor();
    await window.dismissNotifications();

    await window.contextMenu(window.treeRow("Office"), "Remove a Relay…");
    const dialog = window.page.locator(".monaco-dialog-box");
    await dialog.getByText("Ports that are exposed now: 1", { exact: false }).waitFor();
    await window.picture("relays, remove");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await window.treeRow("Office").count(), 1);
    await window.contextMenu(window.treeRow("Office"), "Remove a Relay…");
    await dialog.getByRole("button", { name: "Remove" }).click();
    await window.treeRow("Relays").waitFor({ state: "detached" });
  });
});
