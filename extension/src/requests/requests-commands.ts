import { chooseExposure } from "../ui/pickers.ts";
import type { UiContext } from "../ui/context.ts";
import type { RequestsView } from "./requests-view.ts";

export function requestsCommands({ controller }: UiContext, view: RequestsView) {
  return {
    async "porthole.showRequests"(argument: unknown) {
      const exposure = await chooseExposure(controller, argument);
      if (exposure) await view.show(exposure.id);
    },
    "porthole.sendRequest": () => view.send(),
  };
}
