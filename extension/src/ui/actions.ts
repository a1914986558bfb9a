import { window, type QuickPickItem } from "vscode";
import { describeExposure, nameOf, urlOf } from "../controller/index.ts";
import type { CommandId } from "../manifest/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { UiContext } from "./context.ts";

/** A click on the status bar: what one can do with an exposed port. */
export function actionCommands({ controller, run }: UiContext) {
  return {
    async "porthole.showActions"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument, ({ phase }) => phase !== "off");
      if (!exposure) return;
      const on = controller.state.exposures.filter(({ phase }) => phase !== "off");
      if (exposure.phase === "elsewhere") {
        const stop = t("Stop");
        const takeOver = t("Take Over");
        const choice = await window.showQuickPick([takeOver, stop], {
          title: nameOf(exposure),
          placeHolder: t("Another window exposes this port"),
        });
        if (choice !== undefined)
          await run(choice === stop ? "porthole.stop" : "porthole.takeOver", { exposureId: exposure.id });
        return;
      }
      const item = (icon: string, label: string, command: CommandId): QuickPickItem & { command: CommandId } => ({
        label: `$(${icon}) ${label}`,
        command,
      });
      const isWaiting = describeExposure(exposure, controller.state.daemon, Date.now()).kind === "bad";
      const tryNow = item("refresh", t("Try Now"), "porthole.tryNow");
      const picked = await window.showQuickPick(
        [
          // What somebody who waits for the relay has come for.
          ...(isWaiting ? [tryNow] : []),
          item("copy", t("Copy Public URL"), "porthole.copyUrl"),
          item("link-external", t("Open in Browser"), "porthole.openUrl"),
          item("open-preview", t("Preview in Editor"), "porthole.preview"),
          item("device-mobile", t("Show QR Code"), "porthole.showQrCode"),
          item("list-selection", t("Show Requests"), "porthole.showRequests"),
          exposure.secondary
            ? item("git-branch", t("Copy Second URL"), "porthole.copySecondaryUrl")
            : item("git-branch", t("Add a Second URL…"), "porthole.addSecondary"),
          item("tag", t("Friendly Name…"), "porthole.setName"),
          item("key", t("Copy Certificate Fingerprint"), "porthole.copyFingerprint"),
          item("shield", t("Restrict Access…"), "porthole.protect"),
          item("pulse", t("Diagnose Connection"), "porthole.doctor"),
          item("debug-stop", t("Stop"), "porthole.stop"),
          ...(on.length > 1 ? [item("stop-circle", t("Stop All"), "porthole.stopAll")] : []),
        ],
        { title: nameOf(exposure), placeHolder: urlOf(exposure) ?? "" },
      );
      if (picked) await run(picked.command, { exposureId: exposure.id });
    },
  };
}
