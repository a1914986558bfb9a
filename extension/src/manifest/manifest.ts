import { commands, type CommandId, type CommandSpec } from "./commands.ts";
import { menus } from "./menus.ts";
import { settings, settingScope, type SettingSpec } from "./settings.ts";
import { panel, views } from "./views.ts";
import { tools } from "./tools.ts";
import { walkthrough } from "./walkthrough.ts";
import { welcomes } from "./welcomes.ts";

/** The part of package.json that says what the extension adds to the editor. `npm run manifest` writes it. */
export function contributes(): object {
  return {
    commands: Object.entries<CommandSpec>(commands).map(([command, { title, icon, enablement }]) => ({
      command,
      title: `%${title}%`,
      category: "Porthole",
      ...(icon === undefined ? {} : { icon: `$(${icon})` }),
      ...(enablement === undefined ? {} : { enablement }),
    })),
    menus: {
      commandPalette: Object.entries<CommandSpec>(commands).flatMap(([command, { palette }]) =>
        palette === undefined ? [] : [{ command, when: palette === false ? "false" : palette }],
      ),
      ...menus,
    },
    keybindings: [
      {
        command: "porthole.sendRequest" satisfies CommandId,
        key: "ctrl+alt+enter",
        mac: "cmd+alt+enter",
        when: "editorTextFocus && resourceScheme == porthole-request && !activeEditorIsReadonly",
      },
    ],
    configuration: {
      title: "Porthole",
      properties: Object.fromEntries(
        Object.entries<SettingSpec<unknown>>(settings).map(([id, spec], order) => [
          id,
          {
            order,
            scope: spec.scope ?? settingScope,
            default: spec.default,
            markdownDescription: `%setting.${id.slice("porthole.".length)}%`,
            ...spec.schema,
          },
        ]),
      ),
    },
    // VS Code must not offer the port of a trial relay as an application of the user's.
    configurationDefaults: {
      "remote.portsAttributes": {
        ".+porthole\\.porthole.+daemon\\.mjs": { onAutoForward: "ignore", label: "Porthole" },
      },
    },
    viewsContainers: { panel: [{ id: panel.id, title: `%${panel.title}%`, icon: panel.icon }] },
    views: {
      [panel.id]: Object.entries(views).map(([id, { name, ...view }]) => ({ id, name: `%${name}%`, ...view })),
    },
    viewsWelcome: welcomes,
    walkthroughs: [walkthrough],
    languageModelTools: tools,
    mcpServerDefinitionProviders: [{ id: "porthole", label: "Porthole" }],
  };
}
