import { window, type Disposable } from "vscode";
import { t } from "../text.ts";

/** The Requests view: what visitors asked for. */
export function requestsView(): Disposable {
  return window.registerWebviewViewProvider("porthole.requests", {
    resolveWebviewView({ webview }) {
      webview.options = { enableScripts: false };
      webview.html = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'"><p>${t("Requests of visitors appear here.")}</p>`;
    },
  });
}
