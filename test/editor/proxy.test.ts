import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHttp, startProxy } from "@porthole/testing/end-to-end";
import { settingsFor, startOpenRelay, useEditor } from "@porthole/testing/editor";

describe("The extension in an editor behind an HTTP proxy", function () {
  this.timeout(300_000);
  const editor = useEditor();
  const { scope } = editor;

  it("gets through as soon as the user sets http.proxy, and never by that of a workspace", async () => {
    const [relay, site, proxy, hostile] = await Promise.all([
      startOpenRelay(scope),
      startHttp(scope, (_request, response) => response.end("through the proxy")),
      startProxy(scope),
      startProxy(scope),
    ]);
    // Nobody but a proxy knows the name.
    const address = `relay.test:${relay.apiPort}`;
    await editor.server.configure(
      settingsFor(relay.apiPort, {
        "porthole.relays": [{ address, fingerprint: relay.fingerprint }],
        "porthole.transport": "h2",
      }),
    );
    const folder = join(editor.server.workspace, ".vscode");
    await mkdir(folder);
    await writeFile(join(folder, "settings.json"), JSON.stringify({ "http.proxy": hostile.url() }));
    const workbench = await editor.open();

    await workbench.choosePort(site.port);
    await workbench.showEndpoints();
    await workbench.treeRow(/relay unreachable/).waitFor();
    assert.deepEqual([proxy.targets, hostile.targets], [[], []]);

    await workbench.command("Preferences: Open User Settings");
    const settings = workbench.page.locator(".settings-editor");
    await settings.locator(".search-container").click();
    await workbench.page.keyboard.type("@id:http.proxy");
    await settings.locator('input[aria-label="http.proxy"]').fill(proxy.url());
    await workbench.treeRow(new RegExp(`${site.port}.*online`)).waitFor();
    await workbench.page.keyboard.press("Escape");
    await settings.waitFor({ state: "detached" });
    // By itself it copies only a URL that has not been long in coming.
    await workbench.command("Porthole: Copy Public URL");
    assert.deepEqual(await editor.visit(await workbench.copiedUrl()), { status: 200, text: "through the proxy" });
    assert.deepEqual([[...new Set(proxy.targets)], hostile.targets], [[address], []]);
  });
});
