import assert from "node:assert/strict";
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Relay } from "@porthole/relay";
import { run, startHttp, until, type Service } from "@porthole/testing/end-to-end";
import { comes, startOpenRelay, useEditor, type Workbench } from "@porthole/testing/editor";

describe("The extension in an editor", function () {
  this.timeout(400_000);
  const editor = useEditor({ lasts: "suite" });
  const { scope } = editor;
  let workbench: Workbench;
  let relay: Relay;
  /** The relay's key in it is what the extension remembers it by. */
  let relayState: string;

  before(async function () {
    this.timeout(300_000);
    relayState = await scope.folder();
    relay = await editor.startRelay({ "porthole.terminalLinks": true }, ["--state-dir", relayState]);
    workbench = await editor.open();
  });

  const startSite = (text: string): Promise<Service> => startHttp(scope, (_request, response) => response.end(text));

  it("gives a port of the Ports view a URL by a right click, and takes it away from the status bar", async () => {
    const site = await startSite("hello from the port");
    const row = await workbench.ports.forwarded(site.port);
    const before = await workbench.contextMenu(row, "Expose with Porthole");
    assert.ok(!before.includes("Stop Exposing"));
    await workbench.notification("Copied https://").waitFor();
    const url = await workbench.copiedUrl();
    assert.equal(await read(url), "hello from the port");
    assert.match((await workbench.statusBarItem.textContent()) ?? "", /\S/);
    await workbench.dismissNotifications();
    const after = await workbench.contextMenu(row, undefined);
    assert.ok(after.includes("Stop Exposing") && after.includes("Copy Public URL"), after.join());
    assert.ok(!after.includes("Expose with Porthole"));
    await row.hover();
    await row.locator('[aria-label="Public URL…"]').click();
    await workbench.quickPickRow("Copy Public URL").waitFor();
    await workbench.page.keyboard.press("Escape");
    await workbench.showEndpoints();
    await workbench.treeRow(new URL(url).host).waitFor();
    await workbench.statusBarItem.click();
    await workbench.pick(/Stop/);
    await workbench.treeRow("stopped").waitFor();
    assert.equal(await read(url), undefined);
    await workbench.statusBarItem.waitFor({ state: "detached" });
  });

  it("exposes from the palette, and keeps the URL through a reload and the death of the tunnels' process", async () => {
    const site = await startSite("hello again");
    const url = await workbench.expose(site.port);
    await serves(url, "hello again");
    await serves(`${url}/before-the-reload`, "hello again");

    const ofThisWindow = await daemonPid();
    await workbench.reload();
    await until(
      async () => !(await daemonPids()).includes(ofThisWindow),
      "the process with the tunnels has ended with its window",
      60_000,
    );
    await serves(url, "hello again");
    const requests = await workbench.requestsView();
    await requests.locator(".row").filter({ hasText: "/before-the-reload" }).first().click();
    await requests.locator(".detail").getByRole("tab", { name: "Response" }).click();
    await requests.locator(".detail pre").filter({ hasText: "hello again" }).waitFor();
    const files = await readdir(editor.server.data, { recursive: true });
    assert.deepEqual(
      files.filter((file) => /porthole\.porthole\/requests\/./.test(file)),
      [],
    );
    await workbench.showEndpoints();
    await workbench.treeRow(/online/).waitFor();
    await workbench.picture("endpoints");
    const planted = join(editor.server.data, "planted.pem");
    await writeFile(planted, "-----BEGIN PRIVATE KEY-----");
    assert.deepEqual(await filesWithKeys(), [planted]);

    // What it would be started from again is away until the state has been seen.
    const [program, aside] = await daemonProgram();
    await rename(program, aside);
    process.kill(await daemonPid(), "SIGKILL");
    await workbench.treeRow(/tunnel process ended/).waitFor();
    await rename(aside, program);
    await workbench.treeRow(/online/).waitFor();
    await serves(url, "hello again");
    await workbench.statusBarItem.click();
    await workbench.pick(/Stop/);
    await workbench.treeRow(new RegExp(`${site.port}.*stopped`)).waitFor();
    // The killed process has not said goodbye, so over QUIC the relay notices only by the silence.
    await until(() => relay.counts().clients === 0, "the relay noticed", 60_000);
  });

  it("says that the relay is away, and continues when it is back", async () => {
    const site = await startSite("hello");
    await workbench.choosePort(site.port);
    await workbench.notification("Copied https://").waitFor();
    await workbench.picture("notification");
    await workbench.dismissNotifications();
    await workbench.showEndpoints();
    const row = workbench.treeRow(new RegExp(`${site.port}.*online`));
    await row.click();
    await workbench.page.keyboard.press("ArrowRight");
    await workbench.treeRow("Local service").waitFor();
    await workbench.picture("tree");
    await workbench.statusBarItem.click();
    await workbench.quickPickRow(/Stop/).waitFor();
    await workbench.picture("actions");
    await workbench.page.keyboard.press("Escape");
    await relay.close();
    await workbench.treeRow(/relay unreachable/).waitFor();
    await workbench.picture("relay away");
    relay = await startOpenRelay(scope, ["--state-dir", relayState, "--api-port", String(relay.apiPort)]);
    await row.waitFor();
    await workbench.statusBarItem.click();
    await workbench.pick(/Stop/);
    await workbench.treeRow(new RegExp(`${site.port}.*stopped`)).waitFor();
  });

  it("exposes from the tree and by a link in the terminal, and adds a second name", async () => {
    const site = await startSite("three ways");
    await workbench.command("Terminal: Create New Terminal");
    // There may be another one, which the editor opens with the view. What is typed before the prompt is there may be lost.
    const prompt = workbench.page.locator(".part.panel .xterm-rows.xterm-focus").filter({ hasText: /[#$]/ });
    await prompt.first().waitFor();
    await workbench.page.keyboard.type(`echo http://localhost:${site.port}/ #`);
    await workbench.page.keyboard.press("Enter");
    const line = workbench.page
      .locator(".part.panel .xterm-rows > div")
      .filter({ hasText: /^http:/ })
      .first();
    await line.waitFor();
    await workbench.dismissNotifications();
    const box = (await line.boundingBox()) ?? assert.fail("the line is not to be seen");
    const { mouse, keyboard } = workbench.page;
    await mouse.move(box.x + 40, box.y + box.height / 2);
    await keyboard.down("Control");
    const link = workbench.page.locator(".part.panel .xterm-cursor-pointer");
    await until(async () => {
      await mouse.move(box.x + 44, box.y + box.height / 2, { steps: 3 });
      await mouse.move(box.x + 41, box.y + box.height / 2, { steps: 3 });
      return comes(link, { state: "attached", timeout: 2_000 });
    }, "the terminal shows a link");
    await workbench.picture("terminal link");
    const last = await workbench.clipboard();
    await mouse.click(box.x + 41, box.y + box.height / 2);
    await keyboard.up("Control");
    const url = await workbench.copiedUrl(last);
    await serves(url, "three ways");
    await workbench.dismissNotifications();

    await workbench.command("Porthole: Add a Second URL…");
    await workbench.quickInput("Add a Second URL");
    await workbench.page.keyboard.press("Enter");
    const second = await workbench.copiedUrl(url);
    await serves(second, "three ways");
    await serves(url, "three ways");

    await workbench.showEndpoints();
    await workbench.statusBarItem.click();
    await workbench.pick(/Stop/);
    const stopped = workbench.treeRow(new RegExp(`${site.port}.*stopped`));
    await stopped.waitFor();
    await stopped.hover();
    await stopped.locator('[aria-label="Expose Again"]').click();
    await workbench.treeRow(new RegExp(`${site.port}.*online`)).waitFor();
    await serves(url, "three ways");
    await serves(second, "three ways");
    await workbench.statusBarItem.click();
    await workbench.pick(/Stop/);
    await stopped.waitFor();
  });

  /** What a visitor reads; undefined when nobody is there. */
  async function read(url: string): Promise<string | undefined> {
    return (await editor.visit(url))?.text;
  }

  async function serves(url: string, text: string): Promise<void> {
    await until(async () => (await read(url)) === text, `${url} served ${text}`, 180_000);
  }

  /** Keys are among the editor's secrets: never in its settings, state or logs. */
  async function filesWithKeys(): Promise<string[]> {
    const { stdout } = await run("grep", ["-rlaF", "--exclude-dir=extensions", "PRIVATE KEY", editor.server.data]);
    return stdout.trim().split("\n");
  }

  /** The pid of the process with the tunnels of this server's window. */
  async function daemonPid(): Promise<number> {
    return (await daemonPids()).at(-1) ?? assert.fail("there is no process with tunnels");
  }

  async function daemonPids(): Promise<number[]> {
    const { stdout } = await run("pgrep", ["-f", `${editor.server.data}/extensions/.*daemon.mjs`]);
    return stdout.split("\n").filter(Boolean).map(Number);
  }

  /** Its file, and where that can be in the meantime. */
  async function daemonProgram(): Promise<readonly [string, string]> {
    const extensions = join(editor.server.data, "extensions");
    const found = (await readdir(extensions, { recursive: true })).find((each) => each.endsWith("/daemon.mjs"));
    const path = join(extensions, found ?? assert.fail("there is no daemon.mjs"));
    return [path, `${path}.aside`];
  }
});
