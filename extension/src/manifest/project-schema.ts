/**
 * The JSON schema of `porthole.ports`: what a project may say of a port, under the names of the command line's options.
 * controller/project-port.ts reads it.
 */
const text = (name: string, more: object = {}): object => ({
  ...{ type: "string", minLength: 1, maxLength: 500 },
  ...more,
  markdownDescription: `%setting.ports.${name}%`,
});
const flag = (name: string): object => ({ type: "boolean", markdownDescription: `%setting.ports.${name}%` });
const texts = (name: string, pattern?: string): object => ({
  type: "array",
  maxItems: 50,
  items: { type: "string", minLength: 1, maxLength: 500, ...(pattern === undefined ? {} : { pattern }) },
  markdownDescription: `%setting.ports.${name}%`,
});

const properties: Readonly<Record<string, object>> = {
  label: text("label"),
  local: text("local"),
  "local-proxy-protocol": flag("local-proxy-protocol"),
  mode: text("mode", { enum: ["auto", "http", "tcp"] }),
  headers: text("headers", { enum: ["auto", "transparent", "localhost"] }),
  name: text("name"),
  route: texts("route", "^/[^=]*=."),
  inspect: flag("inspect"),
  redact: texts("redact"),
  "access-share": flag("access-share"),
  "access-webhook": text("access-webhook"),
  "access-address": texts("access-address"),
  "access-path": texts("access-path"),
  "access-for": text("access-for", { pattern: "^[0-9]{1,10}([.][0-9]{1,6})?(ms|s|m|h|d)$" }),
  "auto-expose": texts("auto-expose", "^(open|(task|launch) .+)$"),
};

export const projectPortsSchema = {
  type: "object",
  additionalProperties: false,
  patternProperties: { "^[1-9][0-9]{0,4}$": { type: "object", additionalProperties: false, properties } },
};

/** The names of an entry's properties, for the test that compares them with the reader's. */
export const projectPortProperties = Object.keys(properties);
