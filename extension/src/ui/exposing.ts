import { commands, env, ProgressLocation, Uri, window } from "vscode";
import { systemClock } from "@porthole/common/util";
import {
  describeAccess,
  describeExposure,
  endpointOf,
  nameOf,
  urlOf,
  urlReady,
  type Controller,
  type Exposure,
} from "../controller/index.ts";
import { isPortTarget, localOf, readPortArgument, readPortNumber, type PortTarget, type Side } from "../ports/index.ts";
import { t } from "../text.ts";
import type { AccessSpec } from "@porthole/tunnel/rpc";
import { announceLink } from "./access.ts";
import { needRelay } from "./ask-relay.ts";
import { exposureIdOf, type UiContext } from "./context.ts";
import { accessToExpose, agreeToProject } from "./project.ts";
import { pickPort } from "./pick-port.ts";
import { chooseExposure, chooseUrl } from "./pickers.ts";
import { showError } from "./register-commands.ts";
import { editorSettings } from "./vscode-host.ts";

/** Exposing, and what one does with the URL. `side` says how the Ports view's arguments have to be read. */
export function exposingCommands(context: UiContext, side: Side) {
  const { controller, run } = context;

  const readTarget = (argument: unknown): PortTarget | undefined =>
    isPortTarget(argument) ? argument : readPortArgument(argument, side);

  /** The port of a row of the Ports view, of an item of ours, or of the user's choice. */
  async function exposureOf(argument: unknown, phases: readonly Exposure["phase"][] = ["on"]) {
    const target = readTarget(argument);
    const fits = ({ phase }: Exposure): boolean => phases.includes(phase);
    return target ? controller.find(controller.idOf(target)) : chooseExposure(controller, argument, fits);
  }

  async function expose(argument: unknown): Promise<string | undefined> {
    const target = readTarget(argument) ?? (await pickPort(controller));
    if (!target || !(await needRelay(context))) return undefined;
    return exposeKnown(target);
  }

  /** Asks what has to be asked about this port, then exposes it. */
  async function exposeKnown(target: PortTarget): Promise<string | undefined> {
    const id = controller.idOf(target);
    if (controller.find(id)?.phase === "on") return exposeTarget(controller, target, run);
    if (!(await agreeToProject(controller, target))) return undefined;
    if (controller.relays.isTrial) return exposeTarget(controller, target, run);
    const access = await accessToExpose(controller, id, target.label ?? localOf(target));
    if (access === undefined) return undefined;
    return exposeTarget(controller, target, run, access === "unchanged" ? undefined : access);
  }

  /** The exposure's URL of the user's choice. Says why there is none. */
  async function urlFor(argument: unknown): Promise<string | undefined> {
    const exposure = await exposureOf(argument);
    if (!exposure) return undefined;
    const url = await chooseUrl(exposure, argument);
    if (url === undefined && urlOf(exposure) === undefined) {
      const { text } = describeExposure(exposure, controller.state.daemon, Date.now());
      void window.showInformationMessage(t("{0} has no URL now: {1}", nameOf(exposure), text));
    }
    return url;
  }

  async function again(argument: unknown): Promise<void> {
    const exposure = controller.find(exposureIdOf(argument) ?? "");
    if (exposure && (await needRelay(context))) await exposeKnown(exposure.target);
  }

  /** Exposes the port, or shows what can be done with one that is exposed. */
  async function portAction(argument: unknown): Promise<unknown> {
    const target = readTarget(argument);
    const exposure = target && controller.find(controller.idOf(target));
    const isExposed = exposure !== undefined && exposure.phase !== "off";
    return isExposed ? run("porthole.showActions", { exposureId: exposure.id }) : expose(argument);
  }

  return {
    "porthole.expose": expose,
    "porthole.portAction": portAction,
    "porthole.start": again,
    "porthole.takeOver": again,
    async "porthole.stop"(argument: unknown) {
      const exposure = await exposureOf(argument, ["on", "elsewhere"]);
      if (exposure) await controller.stop(exposure.id);
    },
    async "porthole.stopAll"() {
      await controller.stopAll();
      window.setStatusBarMessage(t("No port is exposed any more"), 5_000);
    },
    async "porthole.tryNow"(argument: unknown) {
      const exposure = await exposureOf(argument);
      if (exposure) await controller.relays.restart([exposure.id]);
    },
    async "porthole.remove"(argument: unknown) {
      const id = exposureIdOf(argument);
      if (id !== undefined) await controller.remove(id);
    },
    async "porthole.copyUrl"(argument: unknown) {
      const url = await urlFor(argument);
      if (url !== undefined) await copy(url);
    },
    async "porthole.openUrl"(argument: unknown) {
      const url = await urlFor(argument);
      if (url !== undefined) await env.openExternal(Uri.parse(url, true));
    },
    /** In a tab of the editor, by the browser that comes with it. */
    async "porthole.preview"(argument: unknown) {
      const url = await urlFor(argument);
      if (url === undefined) return;
      // An editor may come without it, or have it switched off.
      const outside = (): Thenable<unknown> => env.openExternal(Uri.parse(url, true));
      await commands.executeCommand("simpleBrowser.show", url).then(undefined, outside);
    },
    /** For tasks and launch configurations, which wait for the answer: exposes the port, or one of the user's choice, if nothing is. */
    async "porthole.url"(argument: unknown) {
      const target = readPortNumber(argument);
      const exposure = target ? controller.find(controller.idOf(target)) : await exposureOf(argument);
      if (exposure?.phase === "on") return urlOf(exposure) ?? urlReady(controller, exposure.id, { clock: systemClock });
      if (target) return (await needRelay(context)) ? exposeKnown(target) : undefined;
      return expose(undefined);
    },
  };
}

async function exposeTarget(
  controller: Controller,
  target: PortTarget,
  run: UiContext["run"],
  access?: AccessSpec,
): Promise<string | undefined> {
  const id = controller.idOf(target);
  const url = await window.withProgress(
    { location: ProgressLocation.Window, title: t("Exposing port {0}", target.port) },
    async () => {
      await controller.expose(target, access);
      return urlReady(controller, id, { clock: systemClock });
    },
  );
  const exposure = controller.find(id);
  const link = access?.share ? await controller.ask.share(id, { label: t("first link") }) : undefined;
  await copy(link ?? url);
  if (link !== undefined && exposure) void announceLink(exposure, link).catch(showError);
  else void announce(controller, id, url, run, access?.users?.[0]).catch(showError);
  return url;
}

async function copy(text: string): Promise<void> {
  await env.clipboard.writeText(text);
  window.setStatusBarMessage(t("Copied: {0}", text), 5_000);
}

/** Once, when the URL is ready; never for reconnects. */
async function announce(
  controller: Controller,
  id: string,
  url: string,
  run: UiContext["run"],
  password?: string,
): Promise<void> {
  const exposure = controller.find(id);
  // A password that was just made is shown nowhere else.
  if (!exposure || (password === undefined && !editorSettings.get("porthole.notifyWhenReady"))) return;
  const open = t("Open");
  const qr = t("QR Code");
  const restrict = t("Restrict…");
  const never = password === undefined ? t("Don't Show Again") : t("Copy Password");
  const access = endpointOf(exposure)?.gateway.access;
  const who = controller.relays.isTrial
    ? t("It works on this machine only.")
    : access
      ? t("Who may visit: {0}.", describeAccess(access, Date.now()))
      : t("Anyone with the URL can visit.");
  const message = `${t("Copied {0} → {1}.", url, nameOf(exposure))} ${who}`;
  const choice = await window.showInformationMessage(message, open, qr, restrict, never);
  if (choice === open) await run("porthole.openUrl", { exposureId: id });
  else if (choice === qr) await run("porthole.showQrCode", { exposureId: id });
  else if (choice === restrict) await run("porthole.protect", { exposureId: id });
  else if (choice === never && password !== undefined) await copy(password);
  else if (choice === never) await editorSettings.set("porthole.notifyWhenReady", false);
}
