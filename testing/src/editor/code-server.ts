import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { compileCache, freePort, soon, until } from "../end-to-end/index.ts";
import { installCodeServer } from "./install.ts";

const run = promisify(execFile);

export type Settings = Readonly<Record<string, unknown>>;

export interface CodeServerOptions {
  /** Installed before the start. */
  readonly extensions?: readonly string[];
  /** The user's. */
  readonly settings?: Settings;
  /** Ask whether a folder is trusted; otherwise all are. */
  readonly workspaceTrust?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** How long an extension host outlives its window when that goes without a word; 1 s when absent, 3 h as code-server has it. */
  readonly reconnectionGraceSeconds?: number;
  /** Obey what the page's address says about tests inside the extension host. */
  readonly testDriver?: boolean;
}

export interface CodeServer {
  readonly origin: string;
  /** `host:port`, as addresses of files in it begin. */
  readonly authority: string;
  /** Everything that it keeps. */
  readonly data: string;
  /** An empty folder to open. */
  readonly workspace: string;
  readonly pid: number;
  /** What it has printed. */
  output(): string;
  /** Replaces the user's settings. */
  configure(settings: Settings): Promise<void>;
  /** Replaces the user's key bindings. A window has them some time after it is drawn: see `Workbench.boundKey`. */
  bind(keys: readonly { readonly key: string; readonly command: string; readonly args?: unknown }[]): Promise<void>;
  /** Forgets the user's files, and the workspace's, once the extension hosts of closed windows have ended. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Nothing that moves, asks or looks for something on the internet. */
const quietSettings = {
  "telemetry.telemetryLevel": "off",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.enableExperiments": false,
  "update.mode": "none",
  "git.enabled": false,
  "window.menuBarVisibility": "compact",
  "workbench.reduceMotion": "on",
  "workbench.colorTheme": "Default Dark Modern",
  // Text in a terminal is text in the page then.
  "terminal.integrated.gpuAcceleration": "off",
};

/** Does something that shows and that a test may repeat, for as long as the window does not know the bindings. */
export const readyKey = { key: "ctrl+alt+9", command: "workbench.action.showCommands" };

/** Starts one on a free port of loopback with folders of its own. */
export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  const { node, entry } = await installCodeServer();
  // Short, because there are Unix sockets in it.
  const data = await mkdtemp(join(tmpdir(), "pcs-"));
  const workspace = join(data, "workspace");
  for (const folder of ["User", "extensions", "workspace"]) await mkdir(join(data, folder));
  await writeFile(join(data, "config.yaml"), "auth: none\n");
  const configure = (settings: Settings = {}): Promise<void> =>
    writeFile(join(data, "User", "settings.json"), JSON.stringify({ ...quietSettings, ...settings }, null, 2));
  await configure(options.settings);

  const env = {
    ...{ HOME: data, LANG: "C.UTF-8", SHELL: "/bin/bash", EXTENSIONS_GALLERY: "{}" },
    ...{ XDG_CONFIG_HOME: join(data, "config"), XDG_RUNTIME_DIR: data, TMPDIR: data },
    PATH: [dirname(node), process.env["PATH"]].join(delimiter),
    ...compileCache,
    ...options.env,
  };
  const base = [
    ...[entry, "--config", join(data, "config.yaml")],
    ...["--user-data-dir", data, "--extensions-dir", join(data, "extensions")],
  ];
  for (const extension of options.extensions ?? [])
    await run(node, [...base, "--install-extension", extension], { env, timeout: 120_000 });

  const port = await freePort();
  const logFile = join(data, "server.log");
  const log = openSync(logFile, "w");
  const vscodeOptions = options.testDriver ? ["enable-smoke-test-driver", "log=error", "log=error"] : [];
  const child = spawn(
    node,
    [
      ...base,
      ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check"],
      ...[
        "--disable-getting-started-override",
        "--reconnection-grace-time",
        String(options.reconnectionGraceSeconds ?? 1),
      ],
      ...(options.workspaceTrust ? [] : ["--disable-workspace-trust"]),
      ...vscodeOptions.flatMap((option) => ["--vscode-option", option]),
    ],
    // Its own group, because it starts processes that start others.
    { env, stdio: ["ignore", log, log], detached: true },
  );
  closeSync(log);
  const output = (): string => readFileSync(logFile, "utf8");
  const exited = once(child, "exit");
  exited.catch(() => {});

  const server: CodeServer = {
    origin: `http://127.0.0.1:${port}`,
    authority: `127.0.0.1:${port}`,
    data,
    workspace,
    pid: child.pid ?? 0,
    output,
    configure,
    bind: (keys) => writeFile(join(data, "User", "keybindings.json"), JSON.stringify([...keys, readyKey])),
    async reset() {
      await until(async () => (await hosts()).length === 0, "the extension hosts had ended", 60_000);
      for (const folder of [join(data, "User"), workspace]) {
        await rm(folder, { recursive: true, maxRetries: 20, retryDelay: 200 });
        await mkdir(folder);
      }
      await configure(options.settings);
    },
    async stop() {
      signalGroup("SIGTERM");
      await Promise.race([exited, pause(5_000, undefined, { ref: false })]);
      signalGroup("SIGKILL");
      await exited;
      // What has just been killed may still be writing.
      await rm(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
    },
  };
  try {
    const died = exited.then(() => Promise.reject(new Error("It ended")));
    await soon(Promise.race([healthy(server.origin), died]), () => `code-server:\n${output()}`, 60_000);
  } catch (reason) {
    await server.stop();
    throw reason;
  }
  return server;

  async function hosts(): Promise<number[]> {
    // It fails where it finds none.
    const found = run("pgrep", ["--pgroup", String(child.pid), "--full", "type=extensionHost"]);
    return (
      await found.then(
        ({ stdout }) => stdout,
        () => "",
      )
    )
      .split("\n")
      .filter(Boolean)
      .map(Number);
  }

  function signalGroup(signal: NodeJS.Signals): void {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // The whole group has ended.
    }
  }
}

async function healthy(origin: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
    await pause(100);
  }
}
