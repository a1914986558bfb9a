import { window } from "vscode";
import { nameOf } from "../controller/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { UiContext } from "./context.ts";

/** One label of a host name. Whether a relay grants it is the relay's to say. */
const labelForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** The name in the URL, where a relay grants one. */
export function namingCommands({ controller }: UiContext) {
  return {
    async "porthole.setName"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument);
      if (!exposure) return;
      const name = await window.showInputBox({
        title: t("Friendly Name of {0}", nameOf(exposure)),
        prompt: t(
          "The first part of the URL, as in shop.example.com. Empty: the port's key. The URL is another one then.",
        ),
        value: exposure.friendlyName ?? "",
        placeHolder: "shop",
        ignoreFocusOut: true,
        validateInput: (text) =>
          text.trim() === "" || labelForm.test(text.trim()) ? undefined : t("Write letters, digits and hyphens"),
      });
      if (name === undefined) return;
      await controller.rename(exposure.id, name.trim() === "" ? undefined : name.trim().toLowerCase());
    },
  };
}
