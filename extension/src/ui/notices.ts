import { window, type Disposable } from "vscode";
import {
  describeExposure,
  endpointOf,
  failureOf,
  nameOf,
  type Controller,
  type ControllerState,
} from "../controller/index.ts";
import { t } from "../text.ts";
import { showError } from "./register-commands.ts";
import type { UiContext } from "./context.ts";

/** One message when a port that was online has ended for good: somebody who waits for a webhook must know. Never for reconnects. */
export function endNotices({ controller, run }: UiContext): Disposable {
  const online = new Set<string>();
  const look = ({ exposures }: ControllerState): void => {
    for (const exposure of exposures) {
      const isOnline = endpointOf(exposure)?.relays.some(({ now }) => now.status === "online") === true;
      if (exposure.phase !== "on") online.delete(exposure.id);
      else if (isOnline) online.add(exposure.id);
      else if (failureOf(exposure) && online.delete(exposure.id)) void tell(controller, exposure.id).catch(showError);
    }
  };
  async function tell(of: Controller, id: string): Promise<void> {
    const exposure = of.find(id);
    if (!exposure) return;
    const { text, detail } = describeExposure(exposure, of.state.daemon, Date.now());
    const join = t("Join a Relay…");
    const showLog = t("Show Log");
    const message = t("{0} is offline: {1}. {2}", nameOf(exposure), text, detail ?? "").trim();
    const choice = await window.showErrorMessage(message, join, showLog);
    if (choice === join) await run("porthole.joinRelay");
    else if (choice === showLog) await run("porthole.showLog");
  }
  return { dispose: controller.onChange(look) };
}
