import assert from "node:assert/strict";
import { request } from "node:https";
import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { needProgram, run, startHttp, startTestRelay, until, useScope } from "@porthole/testing/end-to-end";
import { launchBrowser, packExtension, startCodeServer, Workbench, type CodeServer } from "@porthole/testing/editor";

/** Everything that a person can do in one window holds in all of them, and in those that nobody sees any more. */
describe("The extension in several windows", function () {
  this.timeout(600_000);
  let browser: Browser;
  let vsix: string;
  let windows: Workbench[];

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    vsix = await packExtension();
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  beforeEach(() => {
    windows = [];
  });
  afterEach(async function () {
    for (const each of windows) await each.pictureOfFailure(this.currentTest);
    await windows[0]?.close();
  });

  const scope = useScope();

  async function start(reconnectionGraceSeconds?: number): Promise<CodeServer> {
    const relay = await startTestRelay(scope, { args: ["--domain-suffix", "localhost", "--open"] });
    const server = await startCodeServer({
      extensions: [vsix],
      settings: {
        "porthole.relays": [{ address: `127.0.0.1:${relay.apiPort}` }],
        "porthole.certificates": "self-signed",
        "porthole.defaultAccess": "public",
      },
      ...(reconnectionGraceSeconds === undefined ? {} : { reconnectionGraceSeconds }),
    });
    scope.defer(() => server.stop());
    return server;
  }

  /** Another tab of the same profile, if there is one. */
  async function open(server: CodeServer): Promise<Workbench> {
    const [beside] = windows;
    const opened = await Workbench.open(browser, server, beside ? { beside } : {});
    windows.push(opened);
    return opened;
  }

  async function expose(workbench: Workbench, port: number): Promise<string> {
    await workbench.command("Porthole: Expose with Porthole");
    await workbench.quickInput("Expose a Port");
    await workbench.pick(String(port));
    await workbench.notification("Copied https://").waitFor();
    const url = await workbench.copiedUrl();
    await workbench.dismissNotifications();
    return url;
  }

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

  it("serves a URL from one window, and stops and protects it from any", async () => {
    const server = await start();
    const site = await startHttp(scope, (_request, response) => response.end("hello"));
    const first = await open(server);
    const url = await expose(first, site.port);
    assert.equal(await visit(url), 200);
    await first.showEndpoints();

    const second = await open(server);
    await second.showEndpoints();
    const elsewhere = second.treeRow(/exposed by another window/);
    await elsewhere.waitFor();
    await second.picture("exposed by another window");
    await requirePassword(first);
    assert.deepEqual(await statuses(url, 100), new Set([401]));

    await elsewhere.hover();
    await elsewhere.locator('[aria-label="Stop Exposing"]').click();
    await second.treeRow(/stopped/).waitFor();
    assert.deepEqual(await statuses(url, 100), new Set([0]));
    await first.treeRow(/stopped/).waitFor();
  });

  it("serves nothing from a window that hangs, once another has taken the port over", async () => {
    const server = await start();
    const site = await startHttp(scope, (_request, response) => response.end("hello"));
    const first = await open(server);
    const url = await expose(first, site.port);
    assert.equal(await visit(url), 200);
    const { stdout } = await run("pgrep", ["-f", `${server.data}/extensions/.*daemon.mjs`]);
    const host = Number((await run("ps", ["-o", "ppid=", "-p", stdout.trim()])).stdout);
    process.kill(host, "SIGSTOP");
    try {
      const second = await open(server);
      await second.showEndpoints();
      const elsewhere = second.treeRow(/exposed by another window/);
      await elsewhere.hover();
      await elsewhere.locator('[aria-label="Take Over"]').click();
      await second.treeRow(/online/).waitFor();
      await requirePassword(second);
      assert.deepEqual(await statuses(url, 100), new Set([401]));
      await second.command("Porthole: Stop All");
      await second.treeRow(/stopped/).waitFor();
      assert.deepEqual(await statuses(url, 100), new Set([0]));
    } finally {
      process.kill(host, "SIGCONT");
    }
  });

  it("ends what a crashed tab has exposed, and continues in the next one under its rules", async () => {
    const server = await start(3_600);
    const site = await startHttp(scope, (_request, response) => response.end("hello"));
    const crashed = await open(server);
    const url = await expose(crashed, site.port);
    assert.equal(await visit(url), 200);
    await crashed.crash();
    await until(async () => (await visit(url)) === 0, "the orphan has ended its tunnel", 60_000);

    const next = await open(server);
    await until(async () => (await visit(url)) === 200, "the next window continues", 120_000);
    await requirePassword(next);
    assert.deepEqual(await statuses(url, 100), new Set([401]));
    await next.showEndpoints();
    await next.command("Porthole: Stop All");
    await next.treeRow(/stopped/).waitFor();
    assert.deepEqual(await statuses(url, 100), new Set([0]));
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
