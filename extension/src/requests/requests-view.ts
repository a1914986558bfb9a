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
import { errorText, nameOf, type Controller } from "../controller/index.ts";
import type { ViewId } from "../manifest/index.ts";
import { t } from "../text.ts";
import { inspect } from "./inspect.ts";
import type { FromPage, ToPage } from "@porthole/tunnel/requests";
import { RequestDocuments } from "./request-documents.ts";
import { RequestNotices } from "./request-notices.ts";

export interface RequestsView extends Disposable {
  /** Opens it, on the requests of this port, and on one of them. */
  show(exposureId: string, id?: string): Promise<void>;
  /** Lists the requests of this port if the view is open. */
  follow(exposureId: string): void;
  /** Sends the request that is written in the active editor, and shows it. */
  send(): Promise<void>;
  onDaemon(connection: DaemonConnection): void;
}

/** The Requests view: a page that shows what the inspector has recorded, and asks the daemon for it through us. */
export function requestsView(controller: Controller, { extensionUri }: ExtensionContext): RequestsView {
  const folder = Uri.joinPath(extensionUri, "dist", "extension");
  let post: (message: ToPage) => void = () => {};
  let shown = "";
  let isReady = false;
  /** The port to show once the page is ready. */
  let wanted: { readonly tunnel: string; readonly id?: string } | undefined;
  const documents = new RequestDocuments(controller);
  const notices = new RequestNotices(controller, (of) => view.show(of.tunnel, of.id));

  function tellTunnels(): void {
    const tunnels = controller.state.exposures
      .filter(({ phase, tunnel }) => phase === "on" && tunnel !== undefined)
      .map((exposure) => ({ id: exposure.id, name: nameOf(exposure), short: `:${exposure.target.port}` }));
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
        if (wanted !== undefined) post({ type: "show", ...wanted });
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
      case "open":
        await documents.openBody(message, message.side, message.unredacted);
        return;
      case "compare":
        await documents.compare(message, message.unredacted);
        return;
      case "edit":
        await documents.edit(message);
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
  const view: RequestsView = {
    async show(exposureId, id) {
      const what = { tunnel: exposureId, ...(id === undefined ? {} : { id }) };
      if (isReady) post({ type: "show", ...what });
      else wanted = what;
      await commands.executeCommand(`${"porthole.requests" satisfies ViewId}.focus`);
    },
    follow(exposureId) {
      if (isReady) post({ type: "show", tunnel: exposureId });
    },
    async send() {
      const { tunnel, id } = await documents.send();
      await view.show(tunnel, id);
    },
    onDaemon(connection) {
      connection.on("inspect/exchange", ({ id, changes }) => {
        post({ type: "changes", tunnel: id, changes });
        notices.apply(id, changes);
      });
    },
    dispose() {
      off();
      provider.dispose();
      documents.dispose();
    },
  };
  return view;
}

async function answer(
  controller: Controller,
  { tunnel, method, params }: Extract<FromPage, { readonly type: "call" }>,
): Promise<{ readonly result?: unknown; readonly error?: ReturnType<typeof rpcErrorData> }> {
  try {
    return { result: await inspect(controller, tunnel, method, params as never) };
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
