import {
  env,
  ProgressLocation,
  Uri,
  window,
  type Disposable,
  type TerminalLink,
  type TerminalLinkProvider,
} from "vscode";
import { systemClock } from "@porthole/common/util";
import { nameOf, urlOf, urlReady, type Controller, type Exposure } from "../controller/index.ts";
import { isPortTarget, readAddress, readPortArgument, type PortTarget, type Side } from "../ports/index.ts";
import { t } from "../text.ts";
import { editorSettings } from "./vscode-host.ts";
import { chooseExposure, pickPort } from "./pickers.ts";
import { showError } from "./register-commands.ts";
import { exposureIdOf, type JoinOptions, type UiContext } from "./context.ts";

/** Exposing, and what one does with the URL. `side` says how the Ports view's arguments have to be read. */
export function exposingCommands(context: UiContext, side: Side) {
  const { controller, run } = context;

  const readTarget = (argument: unknown): PortTarget | undefined =>
    isPortTarget(argument) ? argument : readPortArgument(argument, side);

  /** The exposed port of a row of the Ports view, of an item of ours, or of the user's choice. */
  async function exposureOf(argument: unknown): Promise<Exposure | undefined> {
    const target = readTarget(argument);
    return target ? controller.find(controller.idOf(target)) : chooseExposure(controller, argument);
  }

  async function expose(argument: unknown): Promise<string | undefined> {
    const target = readTarget(argument) ?? (await pickPort(controller));
    if (!target || !(await hasRelay(context))) return undefined;
    return exposeTarget(controller, target, run);
  }

  return {
    "porthole.expose": expose,
    async "porthole.stop"(argument: unknown) {
      const exposure = await exposureOf(argument);
      if (exposure) await controller.stop(exposure.id);
    },
    async "porthole.start"(argument: unknown) {
      const exposure = controller.find(exposureIdOf(argument) ?? "");
      if (exposure && (await hasRelay(context))) await exposeTarget(controller, exposure.target, run);
    },
    async "porthole.remove"(argument: unknown) {
      const id = exposureIdOf(argument);
      if (id !== undefined) await controller.remove(id);
    },
    async "porthole.copyUrl"(argument: unknown) {
      const exposure = await exposureOf(argument);
      const url = exposure && urlOf(exposure);
      if (url !== undefined) await copy(url);
    },
    async "porthole.openUrl"(argument: unknown) {
      const exposure = await exposureOf(argument);
      const url = exposure && urlOf(exposure);
      if (url !== undefined) await env.openExternal(Uri.parse(url, true));
    },
    /** For tasks and launch configurations, which wait for the answer: exposes first if nothing is. */
    async "porthole.url"(argument: unknown) {
      const exposure = await exposureOf(argument);
      if (!exposure) return expose(undefined);
      return urlOf(exposure) ?? urlReady(controller, exposure.id, { clock: systemClock });
    },
  };
}

/** Without a relay nothing can be exposed: asks how to go on. False when the user leaves it at that. */
async function hasRelay({ controller, run }: UiContext): Promise<boolean> {
  const usable = (): boolean => controller.state.relays.length > 0 || controller.state.isTrial;
  controller.checkRelays();
  if (usable()) return true;
  const join = t("Join a Relay");
  const trial = t("Try It on This Machine");
  const choice = await window.showInformationMessage(
    t(
      "A relay gives your port its public name. Join one with an invite, or try it out first: then the URL works on this machine only.",
    ),
    join,
    trial,
  );
  if (choice === join) await run("porthole.joinRelay", { isForPort: true } satisfies JoinOptions);
  else if (choice === trial) await controller.useTrialRelay();
  return usable();
}

async function exposeTarget(
  controller: Controller,
  target: PortTarget,
  run: UiContext["run"],
): Promise<string | undefined> {
  const id = controller.idOf(target);
  const url = await window.withProgress(
    { location: ProgressLocation.Window, title: t("Exposing port {0}", target.port) },
    async () => {
      await controller.expose(target);
      return urlReady(controller, id, { clock: systemClock });
    },
  );
  await copy(url);
  void announce(controller, id, url, run).catch(showError);
  return url;
}

async function copy(text: string): Promise<void> {
  await env.clipboard.writeText(text);
  window.setStatusBarMessage(t("Copied: {0}", text), 5_000);
}

/** Once, when the URL is ready; never for reconnects. */
async function announce(controller: Controller, id: string, url: string, run: UiContext["run"]): Promise<void> {
  const exposure = controller.find(id);
  if (!exposure || !editorSettings.get("porthole.notifyWhenReady")) return;
  const open = t("Open");
  const qr = t("QR Code");
  const never = t("Don't Show Again");
  // Without the scheme most names fit into one line.
  const message = t("The URL of {0} is on the clipboard: {1}", nameOf(exposure), new URL(url).host);
  const choice = await window.showInformationMessage(message, open, qr, never);
  if (choice === open) await run("porthole.openUrl", { exposureId: id });
  else if (choice === qr) await run("porthole.showQrCode", { exposureId: id });
  else if (choice === never) await editorSettings.set("porthole.notifyWhenReady", false);
}

interface PortLink extends TerminalLink {
  readonly url: string;
}

/** `http://localhost:3000` in a terminal: one click exposes it. */
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
  return window.registerTerminalLinkProvider(provider);
}
