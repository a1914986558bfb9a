import assert from "node:assert/strict";
import { request } from "node:https";
import { run, startHttp, until } from "@porthole/testing/end-to-end";
import type { Locator } from "playwright-core";
import { useEditor, type CodeServerOptions, type Workbench } from "@porthole/testing/editor";

/** Everything that a person can do in one window holds in all of them, and in those that nobody sees any more. */
describe("The extension in several windows", function () {
  this.timeout(600_000);
  // As code-server has it: an extension host outlives its window for hours.
  const server = (): Promise<CodeServerOptions> => Promise.resolve({ reconnectionGraceSeconds: 3_600 });
  const editor = useEditor({ lasts: "suite", server });
  const { scope } = editor;
  /** Exposes the port of each test. */
  let first: Workbench;
  let port: number;
  let url: string;

  before(async function () {
    this.timeout(300_000);
    await editor.startRelay();
    first = await editor.open();
    await first.showEndpoints();
  });
  beforeEach(async function () {
    this.timeout(300_000);
    ({ port } = await startHttp(scope, (_request, response) => response.end("hello")));
    url = await first.expose(port);
    assert.equal(await visit(url), 200);
  });

  const row = (window: Workbench, state: string): Locator => window.treeRow(new RegExp(`${port}.*${state}`));

  async function requirePassword(workbench: Workbench): Promise<void> {
    await workbench.command("Porthole: Restrict Access…");
    await workbench.quickInput("Who may visit");
    await workbench.pick(/Password…/);
    await workbench.quickInput("Password for");
    await workbench.page.keyboard.press("Enter");
    await workbench.notification("Password required from now on").waitFor();
  }

  /** The statuses of so many visits, one after the other; 0 when nobody is there. */
  async function statuses(url: string, count: number): Promise<Set<number>> {
    const all = new Set<number>();
    for (let each = 0; each < count; each++) all.add(await visit(url));
    return all;
  }

  /** Another window, which is opened only now. */
  async function openBeside(): Promise<Workbench> {
    const opened = await editor.open({ beside: first });
    await opened.showEndpoints();
    return opened;
  }

  it("serves a URL from one window, and stops and protects it from any", async () => {
    const second = await openBeside();
    const elsewhere = row(second, "exposed by another window");
    await elsewhere.waitFor();
    await second.picture("exposed by another window");
    await requirePassword(first);
    assert.deepEqual(await statuses(url, 100), new Set([401]));

    await elsewhere.hover();
    await elsewhere.locator('[aria-label="Stop Exposing"]').click();
    await row(second, "stopped").waitFor();
    assert.deepEqual(await statuses(url, 100), new Set([0]));
    await row(first, "stopped").waitFor();
    await second.page.close();
  });

  it("ends what a crashed tab has exposed, and continues in the next one under its rules", async () => {
    await first.crash();
    await until(async () => (await visit(url)) === 0, "the orphan has ended its tunnel", 60_000);

    first = await openBeside();
    await until(async () => (await visit(url)) === 200, "the next window continues", 120_000);
    await requirePassword(first);
    assert.deepEqual(await statuses(url, 100), new Set([401]));
    await first.command("Porthole: Stop All");
    await row(first, "stopped").waitFor();
    assert.deepEqual(await statuses(url, 100), new Set([0]));
  });

  it("serves nothing from a window that hangs, once another has taken the port over", async () => {
    const { stdout } = await run("pgrep", ["--newest", "-f", `${editor.server.data}/extensions/.*daemon.mjs`]);
    const host = Number((await run("ps", ["-o", "ppid=", "-p", stdout.trim()])).stdout);
    process.kill(host, "SIGSTOP");
    try {
      const second = await openBeside();
      const elsewhere = row(second, "exposed by another window");
      await elsewhere.hover();
      await elsewhere.locator('[aria-label="Take Over"]').click();
      await row(second, "online").waitFor();
      await requirePassword(second);
      assert.deepEqual(await statuses(url, 100), new Set([401]));
      await second.command("Porthole: Stop All");
      await row(second, "stopped").waitFor();
      assert.deepEqual(await statuses(url, 100), new Set([0]));
    } finally {
      process.kill(host, "SIGCONT");
    }
  });
});

function visit(url: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const asked = request(
      {
        ...{ host: "127.0.0.1", port, servername: hostname, path: "/", agent: false, timeout: 10_000 },
        headers: { host: `${hostname}:${port}` },
        rejectUnauthorized: false,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.on("error", () => resolve(0));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}
