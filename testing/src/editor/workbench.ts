import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  chromium,
  errors,
  type Browser,
  type BrowserContext,
  type Frame,
  type Locator,
  type Page,
} from "playwright-core";
import { soon, until } from "../end-to-end/index.ts";
import type { CodeServer } from "./code-server.ts";
import { Texts, type Language } from "./texts.ts";

/** Where a person finds pictures of every surface after a run. */
export const pictures = join(import.meta.dirname, "..", "..", "..", "test-results", "editor");

/** Longer than any step takes on a machine that is busy with something else, and longer than a client's pause between attempts. */
const slowMs = 90_000;

/** Chromium as a developer's and as a visitor's: public names lead to loopback, and self-signed certificates are taken. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    timeout: slowMs,
    executablePath: "/usr/bin/chromium",
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--ignore-certificate-errors", "--host-resolver-rules=MAP *.localhost 127.0.0.1"],
    ],
  });
}

/** For a gesture that is repeated when it found no target in time. */
function ignoreTimeout(reason: unknown): void {
  if (!(reason instanceof errors.TimeoutError)) throw reason;
}

/** A page of a visitor's. */
export async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(slowMs);
  return page;
}

export interface OpenOptions {
  /** A folder or a `.code-workspace` file; null for an empty window, the server's own folder when absent. */
  readonly open?: string | null;
  /** The language of extensions. The editor's own texts stay English, because its language packs are not to be had here. */
  readonly language?: Language;
  /** Another window of the same profile, which is open. */
  readonly beside?: Workbench;
}

/** A window of the editor, driven as a person does: by mouse, keyboard, and what is to be read in it. */
export class Workbench {
  readonly page: Page;
  /** What is to be read on the extension's surfaces. */
  readonly texts: Texts;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, texts: Texts) {
    this.#context = context;
    this.page = page;
    this.texts = texts;
  }

  static async open(
    browser: Browser,
    server: CodeServer,
    { open, language = "en", beside }: OpenOptions = {},
  ): Promise<Workbench> {
    const context = beside ? beside.#context : await browser.newContext({ viewport: { width: 1280, height: 800 } });
    // As the texts of a language pack say it.
    if (language !== "en") await context.addInitScript(`globalThis._VSCODE_NLS_LANGUAGE = "${language}"`);
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
    const page = await context.newPage();
    page.setDefaultTimeout(slowMs);
    const workbench = new Workbench(context, page, new Texts(language));
    const url = new URL(server.origin);
    if (open === null) url.searchParams.set("ew", "true");
    else if (open?.endsWith(".code-workspace")) url.searchParams.set("workspace", open);
    else url.searchParams.set("folder", open ?? server.workspace);
    await page.goto(url.href);
    await workbench.drawn();
    return workbench;
  }

  async drawn(): Promise<void> {
    await this.page.locator(".monaco-workbench").waitFor();
    await this.page.locator(".part.statusbar .statusbar-item").first().waitFor();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.drawn();
  }

  /** Its process dies without a word, as when the memory runs out. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent("crash");
    const session = await this.#context.newCDPSession(this.page);
    session.send("Page.crash").catch(() => {});
    await crashed;
  }

  /** Closes the window, and those of the same profile. */
  async close(): Promise<void> {
    await this.#context.close();
  }

  /** For an `afterEach` hook. It must not fail: then nothing would end what the test has started. */
  async pictureOfFailure(test: Mocha.Test | undefined): Promise<void> {
    if (test?.state !== "failed") return;
    const name = `failed ${test.title}`;
    await soon(this.picture(name), "a picture", 30_000).catch((reason: unknown) => console.error(name, reason));
  }

  /** Runs a command of the palette by its title, as `Category: Title`. */
  async command(title: string): Promise<void> {
    await this.palette(title);
    await this.page.keyboard.press("Enter");
  }

  /** Opens the palette on a command, which must be in it: soon after the start not all are. */
  async palette(title: string): Promise<void> {
    const input = this.page.locator(".quick-input-widget input.input");
    // The palette listens in the workbench, not in a page inside it.
    if (await this.page.evaluate<boolean>("document.activeElement?.tagName === 'IFRAME'"))
      await this.page.locator(".part.titlebar").click({ position: { x: 150, y: 10 } });
    // What takes the focus closes the palette: a notification, a view that opens.
    const open = async (timeout: number): Promise<void> => {
      await this.page.keyboard.press("F1");
      await input.waitFor({ timeout });
      await input.fill(`>${title}`, { timeout });
      await this.quickPickRow(title).waitFor({ timeout });
    };
    for (let attempt = 1; ; attempt++) {
      try {
        return await open(attempt * 3_000);
      } catch (reason) {
        if (attempt === 8) throw reason;
        await this.page.keyboard.press("Escape");
      }
    }
  }

  quickPickRow(text: string | RegExp): Locator {
    return this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: text }).first();
  }

  /** Chooses in the open quick pick. A text is typed first, because rows below the fold are not in the page. */
  async pick(text: string | RegExp): Promise<void> {
    const title = this.page.locator(".quick-input-title");
    const asked = await title.textContent();
    if (typeof text === "string") await this.page.locator(".quick-input-widget input.input").fill(text);
    const row = this.quickPickRow(text);
    await row.waitFor();
    const isTaken = async (): Promise<boolean> => (await title.textContent()) !== asked || !(await row.isVisible());
    // A list that is drawn again between press and release takes no click, so a person clicks once more.
    const click = async (): Promise<boolean> => {
      await row.click({ timeout: 3_000 }).catch(ignoreTimeout);
      for (let look = 0; look < 30 && !(await isTaken()); look++) await pause(100);
      return isTaken();
    };
    await until(click, `the choice of ${String(text)} is taken`, slowMs);
  }

  /** Types into the open input box. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator(".quick-input-widget input.input");
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** The open box in which one types or chooses, once it has this title: the palette's own box is there a moment longer. */
  async quickInput(title: string): Promise<void> {
    await this.page.locator(".quick-input-title").filter({ hasText: title }).waitFor();
  }

  /** What the editor itself says of our activation, in milliseconds. Leaves the list of running extensions open. */
  async activationMs(): Promise<number> {
    await this.command("Developer: Show Running Extensions");
    const list = this.page.locator(".runtime-extensions-editor");
    await list.hover();
    const time = list.locator(".extension").filter({ hasText: "Porthole" }).locator(".activation-time");
    const isThere = async (): Promise<boolean> => {
      // Rows below the fold are not there, and those just below it are not to be seen.
      const [whole, row] = [await list.boundingBox(), (await time.count()) > 0 ? await time.boundingBox() : null];
      if (whole && row && row.y + row.height < whole.y + whole.height) return true;
      await this.page.mouse.wheel(0, 200);
      await pause(100);
      return false;
    };
    await until(isThere, "the extension is in the list of those that run");
    const [, ms] = /Activation: (\d+)ms/.exec(await time.innerText()) ?? [];
    assert.ok(ms, "the time of its activation");
    return Number(ms);
  }

  get statusBarItem(): Locator {
    return this.page.locator("#porthole\\.porthole\\.porthole\\.status");
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-toast").filter({ hasText: text }).first();
  }

  async dismissNotifications(): Promise<void> {
    const toast = this.page.locator(".notification-toast").first();
    // The editor's own may come at any time.
    const clear = async (): Promise<boolean> => {
      await this.command("Notifications: Clear All Notifications");
      const gone = toast.waitFor({ state: "detached", timeout: 5_000 });
      return gone.then(
        () => true,
        () => false,
      );
    };
    await until(clear, "no notification was left");
  }

  /** Opens the Ports view. Without a port it is a text, not a table. */
  async showPorts(): Promise<void> {
    await this.command("Ports: Focus on Ports View");
    await this.page.locator(".part.panel .action-item.checked").filter({ hasText: "Ports" }).waitFor();
  }

  /** A row of the Ports view. */
  portRow(port: number): Locator {
    return this.page
      .locator(".part.panel .monaco-list-row")
      .filter({ hasText: String(port) })
      .first();
  }

  /** Waits until the Ports view lists the port, which VS Code finds by itself; otherwise forwards it by hand. */
  async forwarded(port: number): Promise<Locator> {
    await this.showPorts();
    const row = this.portRow(port);
    const listed = (timeout: number): Promise<boolean> =>
      row.waitFor({ timeout }).then(
        () => true,
        () => false,
      );
    // What listened before VS Code looked for the first time is not new to it, so it is not listed. The view has no command in the palette
    // before it has a port, and its button another name after that; a row that comes in between takes the input box away.
    for (let isThere = await listed(8_000); !isThere; isThere = await listed(8_000)) {
      const panel = this.page.locator(".part.panel");
      // An empty view's button stays, unseen, when there are rows.
      const button = panel.getByText(/^(Forward a Port|Add Port)$/).filter({ visible: true });
      const input = panel.locator(".monaco-inputbox input").filter({ visible: true });
      const fill = async (): Promise<void> => {
        await button.first().click({ timeout: 5_000 });
        await input.first().fill(String(port), { timeout: 5_000 });
        await this.page.keyboard.press("Enter");
      };
      await fill().catch(ignoreTimeout);
    }
    return row;
  }

  /** Opens a row's context menu. Rows above it come and go: the menu of one that was elsewhere in the meantime may be another one's. */
  async openMenu(row: Locator): Promise<Locator> {
    const menu = this.page.locator(".monaco-menu").last();
    for (;;) {
      await row.scrollIntoViewIfNeeded();
      const before = await row.boundingBox();
      // Not in the middle, where buttons appear under the pointer.
      await row.click({ button: "right", position: { x: 60, y: 10 } });
      await menu.waitFor();
      const after = await row.boundingBox();
      if (before && after && before.y === after.y) return menu;
      await this.page.keyboard.press("Escape");
      await menu.waitFor({ state: "detached" });
    }
  }

  /** Opens a row's context menu and chooses; returns everything that was in the menu. */
  async contextMenu(row: Locator, label: string | undefined): Promise<string[]> {
    const menu = await this.openMenu(row);
    const labels = await menu.locator(".action-label").allTextContents();
    if (label === undefined) await this.page.keyboard.press("Escape");
    else await choose(label);
    await menu.waitFor({ state: "detached" });
    return labels;

    /** A menu takes no click in its first 100 ms; one that has taken it goes, sooner or later. */
    async function choose(text: string): Promise<void> {
      for (let attempt = 1; attempt <= 10 && (await menu.count()) > 0; attempt++) {
        await pause(250);
        const item = menu.getByText(text, { exact: true });
        await item.click({ timeout: 2_000 }).catch(() => {});
        await menu.waitFor({ state: "detached", timeout: 2_000 }).catch(() => {});
      }
    }
  }

  /** Opens the Endpoints tree. */
  async showEndpoints(): Promise<void> {
    await this.command(`Porthole: Focus on ${this.texts.manifest("view.endpoints")} View`);
    await this.endpointsPane.waitFor();
  }

  get endpointsPane(): Locator {
    const name = this.texts.manifest("view.endpoints");
    return this.page.locator(".part.panel .pane").filter({ hasText: name }).first();
  }

  treeRow(text: string | RegExp): Locator {
    return this.endpointsPane.locator(".monaco-list-row").filter({ hasText: text }).first();
  }

  /** Shows the Requests view, and returns the page inside. */
  async requestsView(): Promise<Frame> {
    await this.command(`Porthole: Focus on ${this.texts.manifest("view.requests")} View`);
    return this.frameWith(".rows");
  }

  /** The page inside a view or an editor that has such an element. */
  async frameWith(selector: string): Promise<Frame> {
    let found: Frame | undefined;
    const look = async (): Promise<boolean> => {
      for (const frame of this.page.frames().filter((each) => each !== this.page.mainFrame())) {
        // A frame may go while it is looked at.
        const count = await frame
          .locator(selector)
          .count()
          .catch(() => 0);
        if (count > 0) found = frame;
      }
      return found !== undefined;
    };
    await until(look, `there is a page with ${selector}`);
    return found as Frame;
  }

  /** The next public URL on the clipboard, other than this one. */
  async copiedUrl(than = ""): Promise<string> {
    let text = "";
    const look = async (): Promise<boolean> => {
      text = await this.clipboard();
      return text.startsWith("https://") && text !== than;
    };
    await until(look, "a URL is on the clipboard");
    return text;
  }

  clipboard(): Promise<string> {
    return this.page.evaluate("navigator.clipboard.readText()");
  }

  async picture(name: string): Promise<void> {
    await mkdir(pictures, { recursive: true });
    // A menu fades in. What turns indefinitely is not waited for.
    await this.page.evaluate(`Promise.allSettled(document.getAnimations().filter((animation) =>
      animation.effect.getComputedTiming().endTime !== Infinity).map((animation) => animation.finished)).then(() => {})`);
    await this.page.screenshot({ path: join(pictures, `${name}.png`) });
  }
}
