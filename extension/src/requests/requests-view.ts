import { randomBytes } from "node:crypto";
import {
  commands,
  env,
  l10n,
  Uri,
  window,
  workspace,
  type Disposable,
  type ExtensionContext,
  type Webview,
} from "vscode";
import { PortholeError } from "@porthole/common/errors";
import { rpcErrorData, type DaemonConnection } from "@porthole/tunnel/rpc";
import { errorText, failureOf, nameOf, type Controller } from "../controller/index.ts";
import type { ViewId } from "../manifest/index.ts";
import { t } from "../text.ts";
import { pageMethods, type FromPage, type ToPage } from "./messages.ts";

export interface RequestsView extends Disposable {
  /** Opens it, on the requests of this port. */
  show(exposureId: string): Promise<void>;
  onDaemon(connection: DaemonConnection): void;
}

/** The Requests view: a page that shows what the inspector has recorded, and asks the daemon for it through us. */
export function requestsView(controller: Controller, { extensionUri }: ExtensionContext): RequestsView {
  const folder = Uri.joinPath(extensionUri, "dist", "extension");
  let post: (message: ToPage) => void = () => {};
  let shown = "";
  let isReady = false;
  /** Of which port, once the page is ready. */
  let wanted: string | undefined;

  function tellTunnels(): void {
    const tunnels = controller.state.exposures
      .filter(({ phase, tunnel }) => phase === "on" && tunnel !== undefined)
      .map((exposure) => ({ id: exposure.id, name: nameOf(exposure) }));
    const text = JSON.stringify(tunnels);
    if (text === shown) return;
    shown = text;
    post({ type: "tunnels", tunnels });
  }

  async function onMessage(message: FromPage): Promise<void> {
    switch (message.type) {
      case "ready":
        post({ type: "init", texts: plainTexts(l10n.bundle ?? {}) });
        shown = "";
        tellTunnels();
        if (wanted !== undefined) post({ type: "show", tunnel: wanted });
        [wanted, isReady] = [undefined, true];
        return;
      case "call":
        post({ type: "answer", n: message.n, ...(await answer(controller, message)) });
        return;
      case "copy":
        await env.clipboard.writeText(message.text);
        window.setStatusBarMessage(t("Copied: {0}", message.what), 5_000);
        return;
      case "save":
        await save(message);
        return;
    }
  }

  const off = controller.onChange(tellTunnels);
  const provider = window.registerWebviewViewProvider(
    "porthole.requests",
    {
      resolveWebviewView({ webview, onDidDispose }) {
        webview.options = { enableScripts: true, localResourceRoots: [folder] };
        post = (message) => void webview.postMessage(message);
        webview.onDidReceiveMessage((message: FromPage) => {
          onMessage(message).catch(
            (reason: unknown) => void window.showErrorMessage(errorText(PortholeError.from(reason))),
          );
        });
        onDidDispose(() => {
          isReady = false;
          post = () => {};
        });
        webview.html = pageHtml(webview, folder);
      },
    },
    { webviewOptions: { retainContextWhenHidden: true } },
  );
  return {
    async show(exposureId) {
      if (isReady) post({ type: "show", tunnel: exposureId });
      else wanted = exposureId;
      await commands.executeCommand(`${"porthole.requests" satisfies ViewId}.focus`);
    },
    onDaemon(connection) {
      connection.on("inspect/exchange", ({ id, changes }) => post({ type: "changes", tunnel: id, changes }));
    },
    dispose() {
      off();
      provider.dispose();
    },
  };
}

/** The page asks for the tunnel that it shows and for nothing else; a daemon is not started for it. */
async function answer(
  controller: Controller,
  { tunnel, method, params }: Extract<FromPage, { readonly type: "call" }>,
): Promise<{ readonly result?: unknown; readonly error?: ReturnType<typeof rpcErrorData> }> {
  try {
    const exposure = controller.find(tunnel);
    if (!pageMethods.includes(method) || exposure?.phase !== "on" || failureOf(exposure))
      throw new PortholeError("usage", t("This port is not exposed any more"));
    const daemon = await controller.daemon();
    const asked = { ...params, tunnel };
    return { result: await daemon.call(method, asked) };
  } catch (reason) {
    return { error: rpcErrorData(reason) };
  }
}

async function save({ fileName, text, base64 }: Extract<FromPage, { readonly type: "save" }>): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri ?? Uri.file("/");
  const safeName = fileName.replaceAll(/[^\w.-]+/g, "-").slice(-100) || "body";
  const uri = await window.showSaveDialog({ defaultUri: Uri.joinPath(folder, safeName) });
  if (uri)
    await workspace.fs.writeFile(uri, base64 === undefined ? Buffer.from(text ?? "") : Buffer.from(base64, "base64"));
}

function plainTexts(bundle: Readonly<Record<string, string | { readonly message: string }>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(bundle).map(([key, text]) => [key, typeof text === "string" ? text : text.message]),
  );
}

function pageHtml(webview: Webview, folder: Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const uri = (name: string): string => webview.asWebviewUri(Uri.joinPath(folder, name)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    // Pictures in recorded bodies, and nothing that is fetched.
    "img-src data:",
  ].join("; ");
  return `<!doctype html>
<html lang="${env.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${uri("requests.css")}">
<title>${t("Requests")}</title>
</head>
<body>
<script nonce="${nonce}" src="${uri("requests.js")}"></script>
</body>
</html>`;
}
