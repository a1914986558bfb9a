import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHttp, until } from "@porthole/testing/end-to-end";
import { startOpenRelay, useEditor } from "@porthole/testing/editor";

describe("The extension beside what else is in an editor", function () {
  this.timeout(600_000);
  const editor = useEditor();
  const { scope } = editor;

  it("joins by a link, hands the URL to a task, and names to terminals only when asked to", async () => {
    const relay = await startOpenRelay(scope);
    const site = await startHttp(scope, (_request, response) => response.end("hello"));
    const { server } = editor;
    await server.configure({ "porthole.certificates": "self-signed", "porthole.defaultAccess": "public" });
    const userFile = (name: string): string => join(server.data, "User", name);
    // As a click on the link does it that an operating system hands to the editor.
    const link = `code-oss://porthole.porthole/join?relay=127.0.0.1:${relay.apiPort}&pin=${relay.fingerprint}&token=once`;
    await server.bind([
      { key: "ctrl+alt+j", command: "vscode.open", args: link },
      { key: "ctrl+alt+t", command: "workbench.action.tasks.runTask", args: "share" },
    ]);
    const written = join(server.workspace, "url.txt");
    await mkdir(join(server.workspace, ".vscode"));
    await writeFile(
      join(server.workspace, ".vscode", "tasks.json"),
      JSON.stringify({
        version: "2.0.0",
        tasks: [
          { label: "share", type: "shell", problemMatcher: [], command: `echo \${command:porthole.url} > ${written}` },
        ],
      }),
    );
    const opened = await editor.open();
    const { page } = opened;
    const dialog = page.locator(".monaco-dialog-box");

    await opened.boundKey("Control+Alt+J");
    await dialog.getByText("Join the relay").waitFor();
    await dialog.getByText("Join", { exact: true }).click();
    await opened.notification("Joined 127.0.0.1").getByText("Expose a Port").waitFor();
    await opened.dismissNotifications();

    // Nothing is exposed yet, so the task asks.
    await opened.boundKey("Control+Alt+T");
    await opened.quickInput("Expose a Port");
    await opened.pick(String(site.port));
    await until(async () => (await contents(written)) !== "", "the task has the URL", 120_000);
    const url = (await contents(written)).trim();
    assert.match(url, /^https:\/\/[a-z2-7]{26}\.localhost:\d+$/);
    await opened.dismissNotifications();

    const none = "<  >";
    assert.equal(await namesInTerminal("off"), none);
    await opened.command("Preferences: Open User Settings");
    const settings = page.locator(".settings-editor");
    await settings.locator(".search-container").click();
    await page.keyboard.type("@id:porthole.environment");
    await settings.locator('.monaco-custom-toggle[aria-label*="porthole.environment"]').click();
    const isSet = async (): Promise<boolean> =>
      (await contents(userFile("settings.json"))).includes("porthole.environment");
    await until(isSet, "the setting is written");
    await page.keyboard.press("Escape");
    await settings.waitFor({ state: "detached" });
    const host = new URL(url).hostname;
    let names = "";
    await until(async () => (names = await namesInTerminal("on")) !== none, "new terminals have names", 120_000);
    assert.equal(names, `<${url} ${host} ${host}>`);

    /** What a new terminal has. */
    async function namesInTerminal(name: string): Promise<string> {
      const file = join(server.workspace, name);
      await opened.command("Terminal: Create New Terminal");
      await page.locator(".part.panel .terminal-wrapper.active .xterm-rows").waitFor();
      await page.keyboard.type(
        `echo "<$PORTHOLE_URL $PORTHOLE_HOST $__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS>" > ${file}.new; mv ${file}.new ${file}`,
      );
      await page.keyboard.press("Enter");
      await until(async () => (await contents(file)) !== "", "the terminal has answered", 60_000);
      const text = (await contents(file)).trimEnd();
      await rm(file);
      return text;
    }
  });

  function contents(file: string): Promise<string> {
    return readFile(file, "utf8").catch(() => "");
  }
});
