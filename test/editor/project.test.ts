import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { freePort, startHttp, until } from "@porthole/testing/end-to-end";
import { openPage, useEditor } from "@porthole/testing/editor";

/** A folder that somebody else has written describes ports: it is asked about, and never trusted further than that. */
describe("The extension in a project that describes ports", function () {
  this.timeout(600_000);
  const editor = useEditor();
  const { scope } = editor;

  beforeEach(() => mkdir(join(editor.server.workspace, ".vscode")));

  const describePorts = (ports: object): Promise<void> =>
    writeFile(join(editor.server.workspace, ".vscode", "settings.json"), JSON.stringify({ "porthole.ports": ports }));

  async function visit(url: string, path = "/"): Promise<string> {
    const page = await editor.visit(new URL(path, url).href);
    return `${page?.status} ${page?.text}`;
  }

  it("asks once for each description, and lets it narrow but never widen who may visit", async () => {
    const relay = await editor.startRelay();
    const site = await startHttp(scope, (_request, response) => response.end("shop"));
    const api = await startHttp(scope, (_request, response) => response.end("api"));
    const other = await startHttp(scope, (_request, response) => response.end("other"));
    const described = { label: "shop", route: [`/api=${api.port}`], "access-share": true };
    await describePorts({ [site.port]: described });
    const opened = await editor.open();
    const dialog = opened.page.locator(".monaco-dialog-box");

    const told = opened.notification(`This project describes ports: shop · ${site.port}`);
    await told.waitFor();
    // It stays as long as the pointer is on it.
    await told.hover();
    await opened.showEndpoints();
    await opened.treeRow(/in this project/).waitFor();
    await opened.picture("project");
    assert.equal(relay.counts().clients, 0, "nothing is exposed");
    await told.getByText("Expose…").click();
    await dialog.getByText(`route: /api=${api.port}`).waitFor();
    await opened.picture("project agree");
    assert.equal(relay.counts().clients, 0, "nothing is exposed before the user has agreed");
    await dialog.getByText("Expose as Described").click();
    await opened.notification("Share link copied").waitFor();
    const link = await opened.copiedUrl();
    await opened.dismissNotifications();
    const { origin } = new URL(link);
    assert.match(await visit(origin), /^401 /);
    assert.match(await visit(origin, "/api"), /^401 /);
    const page = await openPage(editor.browser);
    await page.goto(link);
    assert.equal(await page.innerText("body"), "shop");
    await page.goto(`${origin}/api`);
    assert.equal(await page.innerText("body"), "api");

    // The project wants more now: nothing of that happens to what runs, and exposing it again asks.
    await describePorts({ [site.port]: { label: "shop", route: [`/=${other.port}`] } });
    await opened.notification("This project describes ports").waitFor();
    await opened.dismissNotifications();
    await page.goto(`${origin}/api`);
    assert.equal(await page.innerText("body"), "api");
    assert.match(await visit(origin), /^401 /);
    await opened.statusBarItem.click();
    await opened.pick(/Stop/);
    const stopped = opened.treeRow(/shop.*stopped/);
    await stopped.hover();
    await stopped.locator('[aria-label="Expose Again"]').click();
    await dialog.getByText("describes shop in another way now").waitFor();
    await dialog.getByText("Use It").click();
    await opened.notification("Copied https://").waitFor();
    assert.match(await visit(origin), /^401 /, "the user's rules stay");
    await page.goto(origin);
    assert.equal(await page.innerText("body"), "other", "the link is still good, and the new route holds");
    await page.close();
  });

  it("exposes a port when it opens, and when a task starts, once the user has agreed", async () => {
    await editor.startRelay();
    const port = await freePort();
    const site = await startHttp(scope, (_request, response) => response.end("by task"));
    await writeFile(
      join(editor.server.workspace, ".vscode", "tasks.json"),
      JSON.stringify({
        version: "2.0.0",
        tasks: [{ label: "dev", type: "shell", command: "true", problemMatcher: [] }],
      }),
    );
    await editor.server.bind([{ key: "ctrl+alt+t", command: "workbench.action.tasks.runTask", args: "dev" }]);
    await describePorts({
      [port]: { label: "web", "auto-expose": ["open"] },
      [site.port]: { label: "worker", "auto-expose": ["task dev"] },
    });
    const opened = await editor.open();
    const { page } = opened;
    await opened.notification("This project describes ports").waitFor();
    await opened.dismissNotifications();
    const open = async (): Promise<() => Promise<void>> => {
      const service = createServer((_request, response) => response.end("by itself"));
      service.listen(port, "localhost");
      await once(service, "listening");
      const end = async (): Promise<void> => {
        if (!service.listening) return;
        service.closeAllConnections();
        service.close();
        await once(service, "close");
      };
      scope.defer(end);
      return end;
    };
    await opened.showEndpoints();
    // Not agreed to yet: neither the port nor the task exposes anything.
    let close = await open();
    await opened.boundKey("Control+Alt+T");
    await page.locator(".part.panel .terminal-wrapper.active .xterm-rows").waitFor();
    await opened.showEndpoints();
    await opened.command("Porthole: Expose This Project's Ports…");
    await page.locator(".monaco-dialog-box").getByText("auto-expose: task dev").waitFor();
    assert.equal(await opened.endpointsPane.getByText("in this project").count(), 2);
    await page.locator(".monaco-dialog-box").getByText("Expose as Described").click();
    await opened.treeRow(/web.*online/).waitFor();
    await opened.treeRow(/worker.*online/).waitFor();
    await opened.dismissNotifications();
    await opened.command("Porthole: Stop All");
    await opened.treeRow(/web.*stopped/).waitFor();
    await opened.treeRow(/worker.*stopped/).waitFor();

    let closedMs = 2_000;
    // Nobody can see from outside when the window has looked: closed for longer each time.
    const opens = async (): Promise<boolean> => {
      await close();
      await page.waitForTimeout((closedMs *= 2));
      close = await open();
      const online = opened.treeRow(/web.*online/).waitFor({ timeout: 8_000 });
      return online.then(
        () => true,
        () => false,
      );
    };
    await until(opens, "the port is exposed by itself", 120_000);
    assert.equal(await opened.treeRow(/worker.*stopped/).count(), 1);
    await opened.boundKey("Control+Alt+T");
    // The task's terminal may take the panel at any time.
    await opened.statusBarItem.filter({ hasText: "2 ports" }).waitFor();
  });

  it("exposes a port when the launch configuration starts that it belongs to, once the user has agreed", async () => {
    await editor.startRelay();
    const site = await startHttp(scope, (_request, response) => response.end("launched"));
    await describePorts({ [site.port]: { label: "web", "auto-expose": ["launch dev"] } });
    const configuration = { name: "dev", type: "node", request: "launch", console: "internalConsole" };
    const file = (name: string): string => join(editor.server.workspace, name);
    await writeFile(
      file(join(".vscode", "launch.json")),
      JSON.stringify({
        version: "0.2.0",
        configurations: [{ ...configuration, program: "${workspaceFolder}/main.mjs", cwd: "${workspaceFolder}" }],
      }),
    );
    // Each run leaves one line more.
    await writeFile(
      file("main.mjs"),
      'import { appendFileSync } from "node:fs"; appendFileSync("runs.txt", "run\\n");',
    );
    await editor.server.bind([{ key: "ctrl+alt+l", command: "workbench.action.debug.start" }]);
    const opened = await editor.open();
    await opened.notification("This project describes ports").waitFor();
    await opened.dismissNotifications();
    let runs = 0;
    const launch = async (): Promise<void> => {
      await opened.boundKey("Control+Alt+L");
      const lines = async (): Promise<number> =>
        (await readFile(file("runs.txt"), "utf8").catch(() => "")).split("\n").length - 1;
      await until(async () => (await lines()) > runs, "the program has run", 60_000);
      runs = await lines();
    };
    await launch();
    await opened.showEndpoints();
    // Not agreed to yet.
    await opened.treeRow(/web.*in this project/).waitFor();
    await opened.command("Porthole: Expose This Project's Ports…");
    await opened.page.locator(".monaco-dialog-box").getByText("auto-expose: launch dev").waitFor();
    await opened.page.locator(".monaco-dialog-box").getByText("Expose as Described").click();
    await opened.treeRow(/web.*online/).waitFor();
    await opened.dismissNotifications();
    await opened.command("Porthole: Stop All");
    await opened.treeRow(/web.*stopped/).waitFor();
    await launch();
    await opened.statusBarItem.filter({ hasText: "web" }).waitFor();
    await opened.showEndpoints();
    await opened.treeRow(/web.*online/).waitFor();
  });
});
