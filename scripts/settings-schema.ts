import { toJsonSchema } from "@valibot/to-json-schema";
import { clientOptions } from "porthole";
import { settingsFile } from "@porthole/tunnel/settings";

type Schema = { [key: string]: unknown };

/** The JSON Schema of `porthole.toml`, by which editors complete and check it. The texts are those of the command line's help. */
export function settingsSchema(): string {
  const schema = toJsonSchema(settingsFile, { errorMode: "ignore" }) as Schema;
  describe(schema);
  const tunnels = (schema["properties"] as Record<string, Schema>)["tunnels"];
  describe(tunnels?.["additionalProperties"] as Schema);
  return `${JSON.stringify({ ...schema, title: "porthole.toml" }, null, 2)}\n`;
}

const others: Readonly<Record<string, string>> = {
  project: "Begins the names of the tunnels, so that two projects can both have the same ones",
  tunnels: "The tunnels, by name: [tunnels.web]",
};

function describe({ properties }: Schema): void {
  for (const [key, property] of Object.entries(properties as Record<string, Schema>)) {
    const spec = Object.entries(clientOptions).find(
      ([name, each]) => key === ("secret" in each ? `${name}-file` : name),
    )?.[1];
    const text = spec?.help ?? others[key];
    if (text === undefined) throw new Error(`${key} has no description`);
    property["description"] = text;
  }
}
