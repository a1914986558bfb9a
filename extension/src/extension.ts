import { join } from "node:path";
import { commands, ExtensionKind, l10n, window, workspace, type ExtensionContext } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import type { LogLine } from "@porthole/tunnel/rpc";
import { systemClock } from "@porthole/common/util";
import { Controller, withoutFlags } from "./controller/index.ts";
import type { CommandId, SettingId } from "./manifest/index.ts";
import { requestsCommands } from "./requests/requests-commands.ts";
import { requestsView } from "./requests/requests-view.ts";
import type { PortholeApi } from "./api.ts";
import { accessCommands } from "./ui/access.ts";
import { actionCommands } from "./ui/actions.ts";
import { assistantToolsOf } from "./ui/assistant.ts";
import { startDaemonProcess } from "./ui/daemon-process.ts";
import { contextKeys } from "./ui/context-keys.ts";
import { editorSecrets, editorSettings, editorStore, editorWorkspace, pingWindow } from "./ui/vscode-host.ts";
import { onEditorProxyChange } from "./ui/editor-proxy.ts";
import { endpointsTree } from "./ui/endpoints-tree.ts";
import { terminalEnvironment } from "./ui/environment.ts";
import { exposingCommands } from "./ui/exposing.ts";
import { ExtensionApi } from "./ui/extension-api.ts";
import { helpCommands, Reports } from "./ui/help.ts";
import { identityCommands } from "./ui/identities.ts";
import { projectCommands, projectPorts } from "./ui/project.ts";
import { qrCommands } from "./ui/qr-code.ts";
import { registerCommands, showError } from "./ui/register-commands.ts";
import { inviteLinks, relayCommands } from "./ui/relays.ts";
import { mcpServerOf } from "./ui/mcp-server.ts";
import { namingCommands } from "./ui/naming.ts";
import { secondaryCommands } from "./ui/secondary.ts";
import { statusBar } from "./ui/status-bar.ts";
import type { UiContext } from "./ui/context.ts";
import { endNotices } from "./ui/notices.ts";
import { terminalLinks } from "./ui/terminal-links.ts";
import { trialCommands } from "./ui/trial.ts";
import { useTranslation } from "./text.ts";

/** Settings that a tunnel starts with. */
const restartingSettings: readonly SettingId[] = [
  "porthole.transport",
  "porthole.certificates",
  "porthole.certificateEmail",
  "porthole.certificateDirectory",
  "porthole.inspect",
  "porthole.keepRequests",
];

let controller: Controller | undefined;

/** Registers the user interface, and returns what other extensions may do. Starts no process: the first command that needs the daemon does. */
export function activate(context: ExtensionContext): PortholeApi {
  useTranslation((text, ...args) => l10n.t(text, ...args), { intoEnglish: l10n.bundle === undefined });
  const log = window.createOutputChannel("Porthole", { log: true });
  const side = context.extension.extensionKind === ExtensionKind.UI ? "ui" : "workspace";
  const tunnels = new Controller({
    clock: systemClock,
    settings: editorSettings,
    secrets: editorSecrets(context),
    store: editorStore(context, "exposures"),
    projectStore: editorStore(context, "project"),
    workspace: editorWorkspace,
    requestsFolder: join(context.globalStorageUri.fsPath, "requests"),
    leaseFolder: join(context.globalStorageUri.fsPath, "leases"),
    askWindow: pingWindow,
    onDaemon({ connection }) {
      requests.onDaemon(connection);
      others.onDaemon(connection);
    },
    startDaemon: (ownerPem, signal) => startDaemonProcess(context, log, ownerPem, signal),
    onLog: ({ level, message, fields }: LogLine) => log[level](withoutFlags(message), ...(fields ? [fields] : [])),
  });
  controller = tunnels;
  const reports = new Reports();
  const requests = requestsView(tunnels, context);
  const others = new ExtensionApi(tunnels);
  const ui: UiContext = {
    controller: tunnels,
    run: async (command: CommandId, ...args) => commands.executeCommand(command, ...args),
  };
  context.subscriptions.push(
    log,
    contextKeys(tunnels),
    endpointsTree(tunnels, (id) => requests.follow(id)),
    statusBar(tunnels),
    terminalEnvironment(tunnels, context),
    terminalLinks(ui, side),
    inviteLinks(ui),
    endNotices(ui),
    projectPorts(ui, log, context),
    assistantToolsOf(tunnels),
    mcpServerOf(tunnels, context),
    others,
    requests,
    reports,
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("porthole.relays")) tunnels.relays.apply().catch(showError);
      if (restartingSettings.some((id) => event.affectsConfiguration(id))) tunnels.relays.restart().catch(report);
    }),
    onEditorProxyChange(() => void tunnels.useProxy()),
    ...registerCommands({
      ...exposingCommands(ui, side),
      ...actionCommands(ui),
      ...accessCommands(ui),
      ...secondaryCommands(ui),
      ...namingCommands(ui),
      ...relayCommands(ui),
      ...trialCommands(ui),
      ...projectCommands(ui),
      ...identityCommands(ui),
      ...helpCommands(ui, log, reports),
      ...qrCommands(ui),
      ...requestsCommands(ui, requests),
    }),
  );
  tunnels.resume().catch(report);
  return others.api;

  function report(reason: unknown): void {
    log.error(PortholeError.from(reason).message);
  }
}

/** The editor waits for this a few seconds. Tunnels end with the process, which ends with its input in any case. */
export async function deactivate(): Promise<void> {
  await controller?.close();
}
