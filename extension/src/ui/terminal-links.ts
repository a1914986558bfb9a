import { env, Uri, window, workspace, type Disposable, type TerminalLink, type TerminalLinkProvider } from "vscode";
import { readAddress, type Side } from "../ports/index.ts";
import { t } from "../text.ts";
import type { UiContext } from "./context.ts";
import { editorSettings } from "./vscode-host.ts";

interface PortLink extends TerminalLink {
  readonly url: string;
}

/**
 * With `porthole.terminalLinks` a click on `http://localhost:3000` in a terminal exposes the port. Off by default: the click opens the
 * page then, as always.
 */
export function terminalLinks({ controller, run }: UiContext, side: Side): Disposable {
  const pattern = /https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d{2,5})\b/g;
  const provider: TerminalLinkProvider<PortLink> = {
    provideTerminalLinks: ({ line }) =>
      [...line.matchAll(pattern)].map((match) => ({
        startIndex: match.index,
        length: match[0].length,
        tooltip: t("Expose with Porthole"),
        url: match[0],
      })),
    async handleTerminalLink({ url }) {
      // A terminal's port is the workspace's: beside the window it has to be forwarded first, which this does.
      const reachable = side === "ui" ? (await env.asExternalUri(Uri.parse(url))).toString(true) : url;
      const target = readAddress(reachable);
      if (!target) return;
      const isExposed = controller.find(controller.idOf(target))?.phase === "on";
      await run(isExposed ? "porthole.copyUrl" : "porthole.expose", target);
    },
  };
  let registration: Disposable | undefined;
  const apply = (): void => {
    const isOn = editorSettings.get("porthole.terminalLinks");
    if (isOn) registration ??= window.registerTerminalLinkProvider(provider);
    else {
      registration?.dispose();
      registration = undefined;
    }
  };
  apply();
  const settings = workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration("porthole.terminalLinks")) apply();
  });
  return {
    dispose() {
      settings.dispose();
      registration?.dispose();
    },
  };
}
