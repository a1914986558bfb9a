import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, BrowserContext, Frame, Locator, Page } from "playwright-core";
import { soon, until } from "../end-to-end/index.ts";
import { comes, ignoreTimeout, slowMs } from "./browser.ts";
import type { CodeServer } from "./code-server.ts";
import { chooseFromMenu, openMenu } from "./context-menu.ts";
import { PortsView } from "./ports-view.ts";
import { Texts, type Language } from "./texts.ts";

/** Where a person finds pictures of every surface after a run. */
export const pictures = join(import.meta.dirname, "..", "..", "..", "test-results", "editor");

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
  readonly ports: PortsView;
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, texts: Texts) {
    this.#context = context;
    this.page = page;
    this.texts = texts;
    this.ports = new PortsView(page, (title) => this.command(title));
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
    for (let attempt = 1; ; attempt++) {
      await this.palette(title);
      try {
        // What takes the focus in the meantime closes the palette, and would get Enter in its place.
        return await this.quickPickRow(title).click({ timeout: 5_000 });
      } catch (reason) {
        if (attempt === 3) throw reason;
      }
    }
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

  /** Presses a key of `CodeServer.bind` outside of what takes the keyboard for itself. */
  async boundKey(key: string): Promise<void> {
    const input = this.page.locator(".quick-input-widget input.input");
    const editors = this.page.locator(".part.editor");
    const areKnown = async (): Promise<boolean> => {
      await editors.click();
      await this.page.keyboard.press("Control+Alt+9");
      return comes(input, { timeout: 3_000 });
    };
    await until(areKnown, "the window knows the bindings", slowMs);
    await this.page.keyboard.press("Escape");
    await input.waitFor({ state: "hidden" });
    await editors.click();
    await this.page.keyboard.press(key);
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
      return comes(toast, { state: "detached", timeout: 5_000 });
    };
    await until(clear, "no notification was left");
  }

  /** Opens a row's context menu. */
  openMenu(row: Locator): Promise<Locator> {
    return openMenu(this.page, row);
  }

  /** Opens a row's context menu and chooses; returns everything that was in the menu. */
  contextMenu(row: Locator, label: string | undefined): Promise<string[]> {
    return chooseFromMenu(this.page, row, label);
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

  /** Chooses a port to expose, from the palette. */
  async choosePort(port: number): Promise<void> {
    const box = this.page.locator(".quick-input-title").filter({ hasText: this.texts.t("Expose a Port") });
    // It closes when something else takes the focus, as the palette does.
    const ask = async (): Promise<boolean> => {
      await this.command(this.texts.command("porthole.expose"));
      return comes(box, { timeout: 10_000 });
    };
    await until(ask, "the list of ports is open", slowMs);
    await this.pick(String(port));
  }

  /** Exposes a port as a user whom nothing is asked. Returns its URL, which is another one than the last. */
  async expose(port: number): Promise<string> {
    const last = await this.clipboard();
    await this.choosePort(port);
    await this.notification(this.texts.like("Copied {0} → {1}.")).waitFor();
    const url = await this.copiedUrl(last);
    await this.dismissNotifications();
    return url;
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
