import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { assistantTools, serveTools, type AssistantTool, type RunTool } from "@porthole/tunnel/assistant";
import { errorText, type Controller } from "../controller/index.ts";
import type { SettingId } from "../manifest/index.ts";
import { t } from "../text.ts";
import { editorHost, questionOf } from "./assistant.ts";
import { editorSettings } from "./vscode-host.ts";

/** Also in the manifest. */
const providerId = "porthole";
const setting: SettingId = "porthole.mcpServer";

interface Definition {
  args: string[];
}

/** The part of the editor's API that came with 1.101. */
interface McpApi {
  readonly lm?: {
    registerMcpServerDefinitionProvider?(
      id: string,
      provider: {
        readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
        provideMcpServerDefinitions(): readonly Definition[];
        resolveMcpServerDefinition(definition: Definition): Promise<Definition>;
      },
    ): vscode.Disposable;
  };
  readonly McpStdioServerDefinition?: new (
    label: string,
    command: string,
    args: string[],
    env: Readonly<Record<string, string>>,
    version: string,
  ) => Definition;
}

/**
 * Offers the tools as an MCP server, for agents that know no tools of extensions. The server is a small program; what it is asked is done
 * here. Nothing is started or opened before an agent wants it. Does nothing in an editor without such servers.
 */
export function mcpServerOf(
  controller: Controller,
  context: Pick<vscode.ExtensionContext, "asAbsolutePath">,
): vscode.Disposable {
  const { lm, McpStdioServerDefinition } = vscode as unknown as McpApi;
  if (!lm?.registerMcpServerDefinitionProvider || !McpStdioServerDefinition) return new vscode.Disposable(() => {});
  const changed = new vscode.EventEmitter<void>();
  const tools = new ToolSocket(controller);
  const definition = (args: string[]): Definition => {
    const env = { ELECTRON_RUN_AS_NODE: "1" };
    return new McpStdioServerDefinition("Porthole", process.execPath, args, env, version);
  };
  const program = context.asAbsolutePath("dist/extension/mcp.mjs");
  return vscode.Disposable.from(
    changed,
    tools,
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(setting)) changed.fire();
    }),
    lm.registerMcpServerDefinitionProvider(providerId, {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions: () => (editorSettings.get(setting) ? [definition([program])] : []),
      resolveMcpServerDefinition: async () => definition([program, await tools.folder()]),
    }),
  );
}

/** Where the program reaches the tools of this window. */
class ToolSocket {
  readonly #run: RunTool;
  #opened: Promise<{ readonly folder: string; readonly socket: Awaited<ReturnType<typeof serveTools>> }> | undefined;

  constructor(controller: Controller) {
    this.#run = runner(controller);
  }

  /** Opens it, once. */
  async folder(): Promise<string> {
    this.#opened ??= this.#open();
    // The next start tries again.
    const { folder } = await this.#opened.catch((reason: unknown) => {
      this.#opened = undefined;
      throw reason;
    });
    return folder;
  }

  dispose(): void {
    void this.#close().catch(() => {});
  }

  async #open() {
    const folder = await mkdtemp(join(tmpdir(), "porthole-"));
    return { folder, socket: await serveTools(this.#run, { folder, clock: systemClock }) };
  }

  async #close(): Promise<void> {
    const opened = await this.#opened;
    await opened?.socket.close();
    if (opened) await rm(opened.folder, { recursive: true, force: true });
  }
}

/** Here the extension itself asks: the protocol has no place for a question that the other end could not answer instead. */
function runner(controller: Controller): RunTool {
  const host = editorHost(controller);
  return async (name, input, signal) => {
    const tool = assistantTools.find((each) => each.name === name);
    try {
      if (!tool) throw new PortholeError("usage", `There is no tool ${JSON.stringify(name)}`);
      await ask(controller, tool, input);
      return await tool.run(input, { host, clock: systemClock, signal });
    } catch (reason) {
      const error = PortholeError.from(reason);
      throw new PortholeError(error.code, errorText(error), { cause: error });
    }
  };
}

async function ask(controller: Controller, tool: AssistantTool, input: unknown): Promise<void> {
  const question = await questionOf(controller, tool, input);
  if (question === undefined) return;
  const yes = tool.name === "porthole_expose" ? t("Expose") : t("Replay");
  const detail = t("An AI assistant asks for it.");
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes)
    throw new PortholeError("aborted", "The user said no");
}
