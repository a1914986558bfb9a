import { readFileSync } from "node:fs";
import {
  describeOption,
  envName,
  flagWithValue,
  isSwitch,
  type OptionSpec,
  type OptionTable,
} from "@porthole/common/options";
import { relayOptions } from "@porthole/relay";
import { clientOptions } from "porthole";
import { settings } from "../extension/src/manifest/settings.ts";

/** The pages of docs/reference: what the code says about options and settings. By path. */
export function referencePages(): Readonly<Record<string, string>> {
  return {
    "docs/reference/client.md": page(
      "Options of porthole",
      "Flags and environment variables of the client. A flag counts before a variable, and a variable before " +
        "`porthole.toml` ([tunnels](../tunnels.md)). `porthole --help all` prints the same.",
      optionsTable(clientOptions),
    ),
    "docs/reference/relay.md": page(
      "Options of porthole-relay",
      "Flags and environment variables of the relay. A flag counts before a variable, and a variable before the " +
        "configuration file, which has the same names without the leading dashes ([operating](../operating.md)). " +
        "`porthole-relay --help all` prints the same.",
      optionsTable(relayOptions),
    ),
    "docs/reference/editor.md": page(
      "Settings of the extension",
      "Search for `porthole` in the editor's settings. All but `porthole.ports` are yours alone: a workspace's values " +
        "are ignored ([in VS Code](../editor.md)).",
      settingsTable(),
    ),
  };
}

function page(title: string, first: string, table: string): string {
  return `# ${title}\n\n${first}\n\n${table}\n`;
}

export function optionsTable(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, spec]) => {
    const cells = [
      code(flagWithValue(name, spec)),
      code(envName(name, spec)),
      defaultCell(spec),
      describeOption(spec, ""),
    ];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| flag | environment variable | default | purpose |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}

function defaultCell(spec: OptionSpec): string {
  if (spec.defaultHelp !== undefined) return spec.defaultHelp;
  if (spec.default !== undefined) return code(spec.default);
  return isSwitch(spec) ? "off" : "";
}

function settingsTable(): string {
  const texts = JSON.parse(readFileSync(new URL("../package.nls.json", import.meta.url), "utf8")) as Record<
    string,
    string
  >;
  const rows = Object.entries(settings).map(([name, { default: value, schema }]) => {
    const text = texts[`setting.${name.replace(/^porthole\./, "")}`];
    if (text === undefined) throw new Error(`${name} has no description`);
    const { enum: values = [] } = schema as { enum?: readonly string[] };
    const choices = values.map((each) => code(each)).join(", ");
    return `| ${code(name)} | ${code(JSON.stringify(value))} | ${choices} | ${withoutCommands(text)} |`;
  });
  return ["| setting | default | values | purpose |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Links to the editor's commands lead nowhere on a page. */
function withoutCommands(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\(command:[^)]*\)/g, "$1");
}
