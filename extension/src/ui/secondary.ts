import { env, window } from "vscode";
import { systemClock } from "@porthole/common/util";
import { endpointOf, urlOf, urlReady } from "../controller/index.ts";
import { localOf, parseAddress } from "../ports/index.ts";
import { t } from "../text.ts";
import { chooseExposure } from "./pickers.ts";
import type { UiContext } from "./context.ts";

/** The second name, and what visitors can pin of either. */
export function secondaryCommands({ controller }: UiContext) {
  return {
    async "porthole.addSecondary"(argument: unknown) {
      const exposure = await chooseExposure(
        controller,
        argument,
        ({ phase, secondary }) => phase === "on" && !secondary,
      );
      if (!exposure) return;
      const local = await window.showInputBox({
        title: t("Add a Second URL"),
        prompt: t("For clients that pin a certificate. Which port should it open?"),
        value: localOf(exposure.target),
        validateInput: (text) => {
          const parsed = parseAddress(text);
          return parsed.target ? undefined : parsed.problem;
        },
      });
      const { target } = parseAddress(local ?? "");
      if (!target) return;
      await controller.secondary.add(exposure.id, localOf(target));
      const url = await urlReady(controller, exposure.id, { clock: systemClock, role: "secondary" });
      await env.clipboard.writeText(url);
      window.setStatusBarMessage(t("Copied: {0}", url), 5_000);
    },
    async "porthole.removeSecondary"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument, ({ secondary }) => secondary !== undefined);
      if (exposure) await controller.secondary.remove(exposure.id);
    },
    async "porthole.copySecondaryUrl"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument, ({ secondary }) => secondary !== undefined);
      const url = exposure && urlOf(exposure, "secondary");
      if (url === undefined) return;
      await env.clipboard.writeText(url);
      window.setStatusBarMessage(t("Copied: {0}", url), 5_000);
    },
    /** Copies the fingerprint that visitors see now: that of the secondary endpoint if the command is on it, else of the primary one. */
    async "porthole.copyFingerprint"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument);
      if (!exposure) return;
      const part = (argument as { readonly part?: unknown } | undefined)?.part;
      const endpoint = endpointOf(exposure, part === "secondary" ? "secondary" : "primary");
      const name =
        typeof part === "string" && part.startsWith("certificate ") ? part.slice("certificate ".length) : undefined;
      const certificates = endpoint?.certificates ?? [];
      const sha256 = (certificates.find(({ hostname }) => hostname === name) ?? certificates[0])?.sha256;
      if (sha256 === undefined) {
        void window.showInformationMessage(
          t("There is no certificate yet: it is made when a relay gives the port its name."),
        );
        return;
      }
      await env.clipboard.writeText(sha256);
      window.setStatusBarMessage(t("Copied the certificate's SHA-256 fingerprint"), 5_000);
    },
  };
}
