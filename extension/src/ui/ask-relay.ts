import { env, Uri, window, type QuickPickItem } from "vscode";
import { t } from "../text.ts";
import type { JoinOptions, UiContext } from "./context.ts";

const hostingGuide = "https://github.com/porthole/porthole/blob/main/docs/hosting.md";

/** Without a relay nothing can be exposed: asks how to continue. Returns false when the user leaves. */
export async function needRelay({ controller, run }: UiContext): Promise<boolean> {
  const isUsable = (): boolean => controller.relays.configured.length > 0 || controller.relays.isTrial;
  controller.relays.check();
  if (isUsable()) return true;
  const item = (icon: string, label: string, detail: string, choose: () => Thenable<unknown>) => ({
    label: `$(${icon}) ${label}`,
    detail,
    choose,
  });
  const choices: readonly (QuickPickItem & { choose: () => Thenable<unknown> })[] = [
    item("mail", t("Join with Invite…"), t("The relay's host has sent you a link."), () =>
      run("porthole.joinRelay", { isForPort: true } satisfies JoinOptions),
    ),
    item("server", t("Add by Address…"), t("A relay that you or your team run."), () =>
      run("porthole.addRelay", { isForPort: true } satisfies JoinOptions),
    ),
    item(
      "device-desktop",
      t("Try on This Machine Only"),
      t("URLs work in browsers on this machine. Nothing is public."),
      () => run("porthole.tryWithoutRelay", { isForPort: true } satisfies JoinOptions),
    ),
    item("question", t("How to Host a Relay"), t("Opens the guide in the browser."), () =>
      env.openExternal(Uri.parse(hostingGuide)),
    ),
  ];
  const picked = await window.showQuickPick(choices, {
    title: t("To get a public URL, this port needs a relay"),
    placeHolder: t("Do you have an invite?"),
    ignoreFocusOut: true,
  });
  await picked?.choose();
  return isUsable();
}
