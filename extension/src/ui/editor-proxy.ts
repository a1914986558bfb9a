import { workspace, type Disposable } from "vscode";
import type { EditorProxy } from "../controller/index.ts";

/** Returns the user's proxy settings. A folder that is opened can't lead the tunnels through a proxy of its own, whatever this version of the editor lets it set. */
export function editorProxy(): EditorProxy {
  const proxy = ofUser("proxy");
  const noProxy = ofUser("noProxy");
  return {
    proxy: typeof proxy === "string" ? proxy.trim() : "",
    noProxy: Array.isArray(noProxy) ? noProxy.filter((each): each is string => typeof each === "string") : [],
  };
}

/** Calls back when the user has set another one. */
export function onEditorProxyChange(changed: () => void): Disposable {
  let before = JSON.stringify(editorProxy());
  return workspace.onDidChangeConfiguration((event) => {
    if (!event.affectsConfiguration("http")) return;
    const now = JSON.stringify(editorProxy());
    if (now === before) return;
    before = now;
    changed();
  });
}

function ofUser(name: "proxy" | "noProxy"): unknown {
  const inspected = workspace.getConfiguration("http").inspect(name);
  return inspected?.globalValue ?? inspected?.defaultValue;
}
