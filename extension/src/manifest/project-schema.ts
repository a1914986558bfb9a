/**
 * The JSON schema of `porthole.ports`: what a project may say of a port, under the names of the command line's options.
 * tunnel/src/settings reads it, as it reads `porthole.toml`.
 */
type Schema = Readonly<Record<string, unknown>>;

const anyText: Schema = { type: "string", minLength: 1, maxLength: 500 };

/** The description is a text of package.nls.json. */
const described = (name: string, schema: Schema): Schema => ({
  ...schema,
  markdownDescription: `%setting.ports.${name}%`,
});
const text = (name: string): Schema => described(name, anyText);
const flag = (name: string): Schema => described(name, { type: "boolean" });
const choice = (name: string, values: readonly string[]): Schema => described(name, { type: "string", enum: values });
const texts = (name: string, more: Schema = {}): Schema => {
  const one = { ...anyText, ...more };
  return described(name, { anyOf: [one, { type: "array", maxItems: 50, items: one }] });
};

const properties: Readonly<Record<string, Schema>> = {
  label: text("label"),
  local: described("local", { anyOf: [{ type: "integer", minimum: 1, maximum: 65_535 }, anyText] }),
  "local-proxy-protocol": flag("local-proxy-protocol"),
  mode: choice("mode", ["auto", "http", "tcp"]),
  headers: choice("headers", ["auto", "transparent", "localhost"]),
  name: text("name"),
  route: texts("route"),
  inspect: flag("inspect"),
  redact: texts("redact"),
  "access-share": flag("access-share"),
  "access-webhook": text("access-webhook"),
  "access-address": texts("access-address"),
  "access-path": texts("access-path"),
  "access-for": described("access-for", { type: "string", pattern: String.raw`^\d{1,10}(\.\d{1,6})?(ms|s|m|h|d)$` }),
  "auto-expose": texts("auto-expose", { pattern: "^(open|(task|launch) .+)$" }),
};

export const projectPortsSchema = {
  type: "object",
  additionalProperties: false,
  patternProperties: { "^[1-9][0-9]{0,4}$": { type: "object", additionalProperties: false, properties } },
};

/** The schema of an entry's properties, for the test that compares it with the reader's. */
export const projectPortProperties = properties;
