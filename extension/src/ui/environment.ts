import { workspace, type Disposable, type ExtensionContext } from "vscode";
import { environmentOf, type Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import { editorSettings } from "./vscode-host.ts";

/** Public names in the environment of new terminals, where the setting asks for it. */
export function terminalEnvironment(
  controller: Controller,
  { environmentVariableCollection: variables }: ExtensionContext,
): Disposable {
  let set = "";
  variables.persistent = false;
  variables.description = t("Public names of exposed ports");
  const paint = (): void => {
    const wanted = editorSettings.get("porthole.environment") ? environmentOf(controller.state.exposures) : [];
    const text = JSON.stringify(wanted);
    if (text === set) return;
    set = text;
    variables.clear();
    for (const { name, value, how } of wanted) {
      const own = how === "append" ? process.env[name] : undefined;
      variables.replace(name, own ? `${own},${value}` : value);
    }
  };
  paint();
  const off = controller.onChange(paint);
  const settings = workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration("porthole.environment")) paint();
  });
  return {
    dispose() {
      off();
      settings.dispose();
    },
  };
}
