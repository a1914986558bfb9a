import { env, ViewColumn, window, type WebviewPanel } from "vscode";
import { renderSVG } from "uqr";
import { endpointOf, nameOf } from "../controller/index.ts";
import { t } from "../text.ts";
import { chooseExposure, chooseUrl } from "./pickers.ts";
import type { UiContext } from "./context.ts";

export function qrCommands({ controller }: UiContext) {
  return {
    async "porthole.showQrCode"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument);
      if (!exposure) return;
      const title = t("QR Code: {0}", nameOf(exposure));
      // The bare URL would lead to a page that asks for a link.
      const hasLinks = endpointOf(exposure)?.gateway.access?.credentials.includes("share") === true;
      const label = t("QR code");
      const url = hasLinks ? await controller.ask.share(exposure.id, { label }) : await chooseUrl(exposure, argument);
      if (url !== undefined) showQrCode(title, url);
    },
  };
}

let panel: WebviewPanel | undefined;

/** Shows the code in the one tab for it. */
export function showQrCode(title: string, url: string): void {
  if (!panel) {
    panel = window.createWebviewPanel("porthole.qrCode", title, ViewColumn.Active, { enableScripts: false });
    panel.onDidDispose(() => {
      panel = undefined;
    });
  }
  panel.title = title;
  panel.webview.html = qrPage(title, url);
  panel.reveal();
}

/** Black on white in every theme: cameras need the contrast and the margin. */
export function qrPage(title: string, url: string): string {
  return `<!doctype html>
<html lang="${escapeHtml(env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>
main { display: grid; justify-items: center; gap: 1rem; padding: 2rem; }
svg { width: min(20rem, 80vw); height: auto; background: #fff; padding: 1rem; border-radius: 4px; }
h1 { font-size: 1.2rem; margin: 0; }
code { font-size: var(--vscode-editor-font-size); overflow-wrap: anywhere; user-select: all; }
</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
<div role="img" aria-label="${escapeHtml(title)}">${renderSVG(url)}</div>
<code>${escapeHtml(url)}</code>
</main>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
