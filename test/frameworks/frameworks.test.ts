import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { needProgram, run, startTunnel, useScope, type TestClient } from "@porthole/testing/end-to-end";
import { frameworkPackages } from "./packages.ts";
import { binaries, makeProject, startProject } from "./project.ts";

/** A name that no development server takes for one of its own, as it does with those under .localhost. */
const suffix = "tunnel.test";
/** Next.js compiles a page when it is first asked for: minutes of a processor that others want, too. */
const shownWithinMs = 90_000;

describe("Frameworks behind the tunnel, as their documentation starts them", function () {
  this.timeout(400_000);
  const scope = useScope();
  let browser: Browser | undefined;

  before(async function () {
    this.timeout(6 * 60_000);
    needProgram(this, "chromium");
    frameworkPackages();
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--ignore-certificate-errors", `--host-resolver-rules=MAP *.${suffix} 127.0.0.1`],
      ],
    });
  });
  after(() => browser?.close());

  /** The page as a visitor of the public name sees it. */
  async function visit(port: number, args: readonly string[] = []): Promise<{ page: Page; client: TestClient }> {
    const { client, site } = await startTunnel(scope, {
      transport: "http2",
      local: String(port),
      relay: { args: ["--domain-suffix", suffix, "--open"] },
      client: { args },
    });
    const page = await (browser as Browser).newPage();
    scope.defer(() => page.close());
    page.setDefaultTimeout(shownWithinMs);
    await page.goto(site.origin);
    return { page, client };
  }

  function isFixedFor(server: string, { log }: TestClient): void {
    assert.deepEqual(
      log.filter((line) => line.startsWith("Fixed:")).map((line) => line.split(" at ", 1)[0]),
      [`Fixed: ${server}`],
    );
  }

  async function edit(file: string, from: string, to: string): Promise<void> {
    const text = await readFile(file, "utf8");
    assert.ok(text.includes(from), `${file} has no ${from}`);
    await writeFile(file, text.replace(from, to));
  }

  /** Marks the page, so that a reload shows. */
  async function mark(page: Page): Promise<void> {
    await page.evaluate(() => Object.assign(globalThis, { isMarked: true }));
  }

  function isMarked(page: Page): Promise<boolean> {
    return page.evaluate(() => "isMarked" in globalThis);
  }

  it("Vite with its React template: the page, and a change reaches it without a reload", async () => {
    const parent = await makeProject(scope);
    const folder = join(parent, "app");
    const template = ["create-vite", "app", "--template", "react", "--no-interactive"];
    const created = await run(join(binaries(), template[0] ?? ""), template.slice(1), { cwd: parent });
    assert.equal(created.code, 0, created.stderr);
    const { port } = await startProject(scope, folder, (free) => ["vite", "--port", String(free), "--strictPort"]);
    const { page, client } = await visit(port);
    await page.locator("button", { hasText: /count is 0/i }).click();
    await page.locator("button", { hasText: /count is 1/i }).waitFor();
    await mark(page);
    await edit(join(folder, "src", "App.jsx"), "ount is", "ounted");
    await page.locator("button", { hasText: /counted 1/i }).waitFor();
    assert.ok(await isMarked(page));
    isFixedFor("Vite", client);
  });

  it("Next.js: the page, a change without a reload, and a server action", async () => {
    const folder = await makeProject(scope, "next");
    const { port } = await startProject(scope, folder, (free) => ["next", "dev", "--port", String(free)]);
    const { page, client } = await visit(port);
    await page.locator("#counter").click();
    await page.locator("#counter", { hasText: "Browser says 1" }).waitFor();
    await page.locator("#action").click();
    await page.locator("#action", { hasText: "Server says 1" }).waitFor();
    await mark(page);
    await edit(join(folder, "app", "page.jsx"), "Written once", "Written twice");
    await page.locator("h1", { hasText: "Written twice" }).waitFor();
    assert.ok(await isMarked(page));
    isFixedFor("Next.js", client);
  });

  it("webpack-dev-server: the page, and a change reaches it", async () => {
    const folder = await makeProject(scope, "webpack");
    const { port } = await startProject(scope, folder, (free) => [
      ...(["webpack", "serve", "--mode", "development", "--port", String(free)] as const),
      // Behind any proxy it has to be told that browsers come by another port; nothing that a proxy says reaches its client.
      ...["--client-web-socket-url-port", "0"],
    ]);
    const { page, client } = await visit(port);
    await page.locator("h1", { hasText: "Written once" }).waitFor();
    await edit(join(folder, "src", "index.js"), "Written once", "Written twice");
    await page.locator("h1", { hasText: "Written twice" }).waitFor();
    isFixedFor("webpack-dev-server", client);
  });

  it("Astro: the page, and a change reaches it", async () => {
    const folder = await makeProject(scope, "astro");
    const { port } = await startProject(scope, folder, (free) => ["astro", "dev", "--port", String(free)]);
    const { page, client } = await visit(port);
    await page.locator("h1", { hasText: "Written once" }).waitFor();
    await edit(join(folder, "src", "pages", "index.astro"), "Written once", "Written twice");
    await page.locator("h1", { hasText: "Written twice" }).waitFor();
    isFixedFor("Vite", client);
  });

  it("Express: a redirect to localhost leads back, and so does a cookie for it", async () => {
    const folder = await makeProject(scope, "express");
    const { port } = await startProject(scope, folder, (free) => ["node", "server.js", String(free)]);
    const { page } = await visit(port);
    assert.equal(new URL(page.url()).pathname, "/hello");
    assert.match(new URL(page.url()).hostname, /\.tunnel\.test$/);
    await page.locator("p", { hasText: "session=of%20a%20visitor" }).waitFor();
  });

  it("Django: the page, a form with its CSRF check, and a redirect", async function () {
    needProgram(this, "django-admin");
    const folder = await makeProject(scope);
    const created = await run("django-admin", ["startproject", "example", "."], { cwd: folder });
    assert.equal(created.code, 0, created.stderr);
    await writeFile(
      join(folder, "example", "urls.py"),
      await readFile(join(import.meta.dirname, "projects", "django", "urls.py")),
    );
    const { port } = await startProject(scope, folder, (free) => [
      ...(["/usr/bin/python3", "manage.py", "runserver", "--noreload"] as const),
      String(free),
    ]);
    const { page, client } = await visit(port);
    await say(page);
    isFixedFor("Django", client);
  });

  it("Rails: the page, a form with its origin check, and a redirect", async function () {
    needProgram(this, "rails");
    const folder = await makeProject(scope, "rails");
    const { port } = await startProject(scope, folder, (free) => [
      ...(["ruby", "bin/rails", "server", "--binding", "127.0.0.1"] as const),
      ...["--port", String(free)],
    ]);
    const { page, client } = await visit(port);
    await say(page);
    isFixedFor("Rails", client);
  });

  async function say(page: Page): Promise<void> {
    await page.locator("input[name=word]").fill("from a visitor");
    await page.locator("button", { hasText: "Say" }).click();
    await page.locator("p", { hasText: "from a visitor" }).waitFor();
    assert.match(new URL(page.url()).hostname, /\.tunnel\.test$/);
  }
});
