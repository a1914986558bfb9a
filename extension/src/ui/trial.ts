import { window } from "vscode";
import { t } from "../text.ts";
import type { JoinOptions, UiContext } from "./context.ts";
import { portsOn } from "./relays.ts";

/** Trial mode: a relay on this machine, whose URLs work on this machine only. It is entered, seen in the tree, and left. */
export function trialCommands({ controller, run }: UiContext) {
  return {
    async "porthole.tryWithoutRelay"(argument: unknown) {
      const ports = portsOn(controller);
      if (!controller.relays.isTrial && ports > 0) {
        const move = t("Use Trial Mode");
        const choice = await window.showWarningMessage(
          t("Take the exposed ports off the internet?"),
          {
            modal: true,
            detail: t(
              "In trial mode URLs work on this machine only. Their public URLs stop working until you leave it.",
            ),
          },
          move,
        );
        if (choice !== move) return;
      }
      await controller.relays.useTrial(true);
      if (((argument ?? {}) as Partial<JoinOptions>).isForPort === true) return;
      const expose = t("Expose a Port");
      const leave = t("Use My Relays");
      const choice = await window.showInformationMessage(
        t("Trial mode: URLs work in browsers on this machine only."),
        expose,
        ...(controller.relays.configured.length > 0 ? [leave] : []),
      );
      if (choice === expose) await run("porthole.expose");
      else if (choice === leave) await run("porthole.useRelays");
    },
    async "porthole.useRelays"() {
      const ports = portsOn(controller);
      if (controller.relays.configured.length > 0 && ports > 0) {
        const move = t("Move Ports");
        const choice = await window.showInformationMessage(
          t("Move the exposed ports to your relays?"),
          { modal: true, detail: t("They are exposed on this machine only now. They become public when they move.") },
          move,
        );
        if (choice !== move) return;
      }
      await controller.relays.useTrial(false);
    },
  };
}
