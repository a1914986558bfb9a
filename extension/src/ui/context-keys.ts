import { commands, type Disposable } from "vscode";
import type { Controller, ControllerState } from "../controller/index.ts";
import type { ContextKeyTypes } from "../manifest/index.ts";
import { portViewForms } from "../ports/index.ts";

/** Keeps what `when` clauses ask for in step with the state. The only place that sets context keys. */
export function contextKeys(controller: Controller): Disposable {
  const set = new Map<string, string>();
  function put<K extends keyof ContextKeyTypes>(key: K, value: ContextKeyTypes[K]): void {
    const text = JSON.stringify(value);
    if (set.get(key) === text) return;
    set.set(key, text);
    void commands.executeCommand("setContext", key, value);
  }
  const paint = ({ exposures, relays, isTrial }: ControllerState): void => {
    const on = exposures.filter(({ phase }) => phase !== "off");
    put("porthole.hasExposed", on.length > 0);
    put("porthole.isTrial", isTrial);
    put(
      "porthole.hasSecondary",
      on.some(({ secondary }) => secondary),
    );
    put("porthole.hasProject", controller.project.ports.length > 0);
    put("porthole.hasRelays", relays.length > 0 || isTrial);
    put(
      "porthole.exposedPorts",
      on.flatMap(({ target }) => portViewForms(target)),
    );
  };
  paint(controller.state);
  return { dispose: controller.onChange(paint) };
}
