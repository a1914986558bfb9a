import type { ExtensionContext } from "vscode";
import * as vscode from "vscode";
import type { Secrets, Settings, Workspace, WorkspaceStore } from "../controller/index.ts";
import type { SettingId, SettingTypes } from "../manifest/index.ts";

/** The editor, as the controller needs it. */

export const editorSettings: Settings = {
  get: <K extends SettingId>(id: K) =>
    (id === "porthole.ports" ? portsOfFolders() : vscode.workspace.getConfiguration().get(id)) as SettingTypes[K],
  set: async (id, value) => {
    await vscode.workspace.getConfiguration().update(id, value, vscode.ConfigurationTarget.Global);
  },
};

/** Returns the ports that the settings of all folders describe. The first folder that describes a port counts. */
function portsOfFolders(): SettingTypes["porthole.ports"] {
  const scopes = vscode.workspace.workspaceFolders?.map(({ uri }) => uri) ?? [undefined];
  const described = scopes.map((uri) =>
    vscode.workspace.getConfiguration(undefined, uri).get<object>("porthole.ports"),
  );
  return Object.assign({}, ...described.toReversed()) as SettingTypes["porthole.ports"];
}

export function editorSecrets({ secrets }: ExtensionContext): Secrets {
  return {
    get: async (key) => secrets.get(key),
    set: async (key, value) => secrets.store(key, value),
    delete: async (key) => secrets.delete(key),
  };
}

export function editorStore(
  { workspaceState }: Pick<ExtensionContext, "workspaceState">,
  key: "exposures" | "project",
): WorkspaceStore {
  return { get: () => workspaceState.get(key), set: async (value) => workspaceState.update(key, value) };
}

/** Resolves when the window has answered. The extension host of a window that crashed, sleeps or is offline waits without an end. */
export async function pingWindow(): Promise<void> {
  await vscode.commands.executeCommand("setContext", "porthole.isRunning", true);
}

export const editorWorkspace: Workspace = {
  get folder() {
    const { workspaceFile, workspaceFolders } = vscode.workspace;
    // A workspace that nobody has saved has another name each time.
    const saved = workspaceFile?.scheme === "untitled" ? undefined : workspaceFile;
    return (saved ?? workspaceFolders?.[0]?.uri)?.toString() ?? "";
  },
  get isTrusted() {
    return vscode.workspace.isTrusted;
  },
};
