import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Frame, Locator } from "playwright-core";
import { isFull, startHttp, until } from "@porthole/testing/end-to-end";
import { openPage, useEditor, type Language, type Workbench } from "@porthole/testing/editor";

const axePath = createRequire(import.meta.url).resolve("axe-core");

/** Windows as they are: a desktop's, a small laptop's, and a laptop's at 200 %. */
const sizes = [
  ["1400x900", { width: 1_400, height: 900 }],
  ["1000x600", { width: 1_000, height: 600 }],
  ["700x450", { width: 700, height: 450 }],
] as const;

/** Each language has a theme of its own. German has the longest words. */
const looks = [
  ["de", "Default Dark Modern"],
  ...(isFull
    ? ([
        ["en", "Default High Contrast"],
        ["zh-cn", "Default Light Modern"],
      ] as const)
    : []),
] as const;

describe("The Requests view in windows of each size", function () {
  this.timeout(600_000);
  const editor = useEditor();
  const { scope } = editor;

  /** Two ports with visitors, and the view with the requests of both. */
  async function setScene(
    language: Language,
    colorTheme: string,
  ): Promise<{ readonly window: Workbench; readonly view: Frame }> {
    const sites = await Promise.all(
      [1, 2].map(() =>
        startHttp(scope, (request, response) => {
          response.setHeader("Content-Type", request.url?.endsWith(".css") ? "text/css" : "application/json");
          response.end(JSON.stringify({ path: request.url, items: [1, 2, 3], note: "x".repeat(200) }));
        }),
      ),
    );
    await editor.startRelay({
      "porthole.notifyWhenReady": false,
      "workbench.colorTheme": colorTheme,
      "remote.autoForwardPorts": false,
    });
    const window = await editor.open({ language });
    const visitor = await openPage(editor.browser);
    scope.defer(() => visitor.close());
    // An earlier window's may still be there.
    let url = await window.clipboard();
    for (const { port } of sites) {
      await window.choosePort(port);
      url = await window.copiedUrl(url);
      await visitor.goto(`${url}/orders/${port}?page=1`);
      await visitor.evaluate("fetch('/style.css').then(() => {})");
      await visitor.evaluate("fetch('/hook', { method: 'POST', body: '{}' }).then(() => {})");
    }
    const view = await window.requestsView();
    await view.locator(".ports option").nth(2).waitFor({ state: "attached" });
    await view.locator(".ports").selectOption("all");
    for (const { port } of sites) await rowOf(view, `:${port} /orders`).waitFor();
    return { window, view };
  }

  const rowOf = (view: Frame, text: string | RegExp): Locator =>
    view.locator(".space .row").filter({ hasText: text }).first();

  for (const [language, colorTheme] of looks)
    it(`cuts nothing off, and has no barrier that axe finds (${language}, ${colorTheme})`, async () => {
      const { window, view } = await setScene(language, colorTheme);
      const { t } = { t: (text: string) => window.texts.t(text) };

      // Assets go and come back; the choice is the page's own.
      assert.ok((await rowOf(view, "/style.css").count()) > 0);
      await view.getByRole("button", { name: t("Hide Assets") }).click();
      await rowOf(view, "/style.css").waitFor({ state: "detached" });
      await rowOf(view, "/hook").waitFor();

      for (const [name, size] of sizes) {
        await window.page.setViewportSize(size);
        // Nobody keeps it open in a window of this size.
        if (size.width < 800) await window.command("View: Close Primary Side Bar");
        const detail = view.locator(".detail");
        const back = detail.getByRole("button", { name: t("Back to the List") });
        // Where there is no room for two, the detail is in the list's place. The page follows the window in its own time.
        const chooseRow = async (): Promise<boolean> => {
          if (await back.isVisible()) await back.click({ timeout: 5_000 });
          await rowOf(view, "/hook").click({ timeout: 5_000 });
          await detail.getByRole("tab", { name: t("Response") }).click({ timeout: 5_000 });
          return true;
        };
        await until(() => chooseRow().catch(() => false), "the request is chosen");
        await detail.locator("pre").waitFor();
        await window.picture(`${language} requests at ${name}`);
        await assertVisible(view, `${language} at ${name}`);
        await assertAccessible(window, ".part.panel", view, `${language} at ${name}`);
        if (await back.isVisible()) {
          await back.click();
          await window.picture(`${language} requests, list at ${name}`);
          await assertVisible(view, `${language} list at ${name}`);
        }
      }
      await inSideBar(window);
      // What is chosen in the tree is what is listed.
      await window.endpointsPane.locator(".monaco-list-row").filter({ hasText: "online" }).last().click();
      const inBar = await window.frameWith(".rows");
      const last = await inBar.locator(".ports option").last().getAttribute("value");
      await until(async () => (await inBar.locator(".ports").inputValue()) === last, "the list follows the tree");
      assert.equal(await rowOf(inBar, /^.*:\d+ \//).count(), 0);
    });

  /** The view as a person drags it into the side bar: narrow and high. */
  async function inSideBar(window: Workbench): Promise<void> {
    await window.page.setViewportSize(sizes[0][1]);
    await window.palette("View: Move View");
    // Others begin with the same words.
    await window.page.getByRole("option", { name: /^View: Move View(,|$)/ }).click();
    await window.pick(window.texts.manifest("view.requests"));
    await window.pick("New Side Bar Entry");
    const view = await window.frameWith(".rows");
    await rowOf(view, "/hook").click();
    await view.locator(".detail pre, .detail table").first().waitFor();
    await window.picture("requests in the side bar");
    assert.ok(await rowOf(view, "/hook").isVisible(), "the list is there beside the detail");
    await assertVisible(view, "side bar");
    await assertAccessible(window, ".part.sidebar", view, "side bar");
  }
});

/** Every control lies inside the page, with all of its label. */
async function assertVisible(view: Frame, where: string): Promise<void> {
  const look = `[...document.querySelectorAll("button, select, input, h2")].filter((each) => {
    const { left, right, width } = each.getBoundingClientRect();
    const isThere = each.checkVisibility() && width > 0;
    const isCut = each.tagName === "BUTTON" && each.scrollWidth > each.clientWidth + 1;
    return isThere && (left < 0 || right > innerWidth + 1 || isCut);
  }).map((each) => each.getAttribute("aria-label") ?? each.textContent)`;
  await until(async () => (await view.evaluate<string[]>(look)).length === 0, `nothing was cut off in ${where}`);
}

async function assertAccessible(window: Workbench, part: string, view: Frame, where: string): Promise<void> {
  // The page is transparent: its colours stand on those of the part that it is in.
  const background = await window.page.evaluate<string>(
    `getComputedStyle(document.querySelector(${JSON.stringify(part)})).backgroundColor`,
  );
  await view.evaluate(`document.documentElement.style.background = ${JSON.stringify(background)}`);
  // As text: it is code of the page's.
  await view.evaluate(await readFile(axePath, "utf8"));
  const { violations } = await view.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  assert.deepEqual(found, [], where);
}
