import { window } from "vscode";
import { describeExposure, nameOf, relayUrlsOf, urlOf, type Controller, type Exposure } from "../controller/index.ts";
import { t } from "../text.ts";
import { exposureIdOf } from "./context.ts";
import { stateCodicon } from "./icons.ts";

/**
 * The exposure that a command is about: the one of its argument, the only one, or the one that the user chooses. Undefined
 * when there is none or the user leaves.
 */
export async function chooseExposure(
  controller: Controller,
  argument: unknown,
  fits: (exposure: Exposure) => boolean = ({ phase }) => phase === "on",
): Promise<Exposure | undefined> {
  const id = exposureIdOf(argument);
  if (id !== undefined) return controller.find(id);
  const all = controller.state.exposures.filter((each) => fits(each));
  if (all.length <= 1) return all[0];
  const now = Date.now();
  const picked = await window.showQuickPick(
    all.map((exposure) => {
      const { kind, text } = describeExposure(exposure, controller.state.daemon, now);
      return { label: `${stateCodicon(kind)} ${nameOf(exposure)}`, description: urlOf(exposure) ?? text, exposure };
    }),
    { placeHolder: t("Choose a port") },
  );
  return picked?.exposure;
}

/** The URL of the relay that the argument is about, the only one, or the user's choice among several relays. */
export async function chooseUrl(exposure: Exposure, argument: unknown): Promise<string | undefined> {
  const urls = relayUrlsOf(exposure);
  const { part } = (argument ?? {}) as { readonly part?: unknown };
  if (typeof part === "string" && part.startsWith("relay "))
    return urls.find(({ address }) => `relay ${address}` === part)?.url;
  if (urls.length <= 1) return urls[0]?.url ?? urlOf(exposure);
  const picked = await window.showQuickPick(
    urls.map(({ address, url }) => ({ label: `$(link) ${url}`, description: address, url })),
    { placeHolder: t("Choose a URL of {0}", nameOf(exposure)) },
  );
  return picked?.url;
}
