import type { Browser } from "playwright-core";
import type { Relay } from "@porthole/relay";
import { packExtension } from "../built-programs.ts";
import { needProgram, startTestRelay, useScope, type Scope, type ScopeOptions } from "../end-to-end/index.ts";
import { platformReason, skipUnless } from "../skip.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { startCodeServer, type CodeServer, type CodeServerOptions, type Settings } from "./code-server.ts";
import { Workbench, type OpenOptions } from "./workbench.ts";

export interface WindowOptions extends OpenOptions {
  /** Defaults to the suite's. */
  readonly server?: CodeServer;
}

export interface Page {
  readonly status: number;
  readonly text: string;
}

/** An editor with the extension, and a browser. A suite has one of each: to start them takes longer than most tests. */
export interface Editor {
  readonly browser: Browser;
  readonly server: CodeServer;
  /** What else is started. It ends after the windows are closed. */
  readonly scope: Scope;
  /** Starts a relay as `startOpenRelay` does, and makes it the one that the user knows; see `settingsFor`. */
  startRelay(settings?: Settings, args?: readonly string[]): Promise<Relay>;
  /** Opens a window, whose profile is empty unless it is another window's. */
  open(options?: WindowOptions): Promise<Workbench>;
  /** Starts another server with the extension, which ends with the scope. */
  startServer(options: CodeServerOptions): Promise<CodeServer>;
  /** What a visitor reads at a URL; undefined when nobody is there. */
  visit(url: string): Promise<Page | undefined>;
}

export interface EditorOptions extends ScopeOptions {
  /** Returns what the server has beside the extension. */
  readonly server?: () => Promise<CodeServerOptions>;
}

/**
 * Declares the hooks in the present suite. Windows close after each test, and the next one finds no files of the last one's; with
 * `lasts: "suite"` all tests continue with the same windows and files.
 */
export function useEditor({ lasts = "test", server: optionsOf }: EditorOptions = {}): Editor {
  const windows: Workbench[] = [];
  let browser: Browser;
  let server: CodeServer;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    server = await start((await optionsOf?.()) ?? {});
    browser = await launchBrowser();
  });
  after(async function () {
    this.timeout(0);
    await Promise.allSettled([browser?.close()]);
    await server?.stop();
  });
  beforeEach(async function () {
    this.timeout(120_000);
    if (lasts === "test") await server.reset();
  });
  afterEach(async function () {
    this.timeout(0);
    for (const each of windows) await each.pictureOfFailure(this.currentTest);
    if (lasts === "test") for (const each of windows.splice(0)) await each.close();
  });
  const scope = useScope({ lasts });

  async function start({ extensions = [], ...options }: CodeServerOptions): Promise<CodeServer> {
    return startCodeServer({ ...options, extensions: [await packExtension(), ...extensions] });
  }

  return {
    scope,
    get browser() {
      return browser;
    },
    get server() {
      return server;
    },
    async startRelay(settings, args) {
      const relay = await startOpenRelay(scope, args);
      await server.configure(settingsFor(relay.apiPort, settings));
      return relay;
    },
    async open({ server: other = server, ...options } = {}) {
      const workbench = await Workbench.open(browser, other, options);
      windows.push(workbench);
      return workbench;
    },
    async startServer(options) {
      const other = await start(options);
      scope.defer(() => other.stop());
      return other;
    },
    async visit(url) {
      const page = await openPage(browser);
      try {
        const response = await page.goto(url);
        return { status: response?.status() ?? 0, text: await page.innerText("body") };
      } catch {
        return undefined;
      } finally {
        await page.close();
      }
    },
  };
}

/** A relay that lets everybody in, whose URLs lead the browser to this machine. */
export function startOpenRelay(scope: Scope, args: readonly string[] = []): Promise<Relay> {
  return startTestRelay(scope, { args: ["--domain-suffix", "localhost", "--open", ...args] });
}

/** The settings of a user who knows one relay, and lets everyone visit without being asked. */
export function settingsFor(apiPort: number, more: Settings = {}): Settings {
  return {
    "porthole.relays": [{ address: `127.0.0.1:${apiPort}` }],
    "porthole.certificates": "self-signed",
    "porthole.defaultAccess": "public",
    ...more,
  };
}
