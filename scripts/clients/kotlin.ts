import { pascalCase, refName, type OpenRpc, type Schema } from "../rpc-schema.ts";

/** The Kotlin client's types, from the contract: `clients/kotlin/src/main/kotlin/io/porthole/Types.kt`. */
export function kotlinTypes({ components }: OpenRpc): string {
  const module = new Module(components.schemas);
  for (const [name, schema] of Object.entries(components.schemas)) module.define(name, schema);
  return [
    "// Generated from tunnel/openrpc.json by `npm run docs`.",
    "",
    "package io.porthole",
    "",
    "import kotlinx.serialization.Serializable",
    "import kotlinx.serialization.json.JsonElement",
    ...module.classes,
    "",
  ].join("\n");
}

const keywords = new Set(["object", "in", "is", "fun", "val", "var", "when", "class", "interface"]);

class Module {
  readonly classes: string[] = [];
  readonly #schemas: Readonly<Record<string, Schema>>;

  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.#schemas = schemas;
  }

  define(name: string, schema: Schema): void {
    const merged = this.#merged(schema);
    const fields = Object.entries(merged.properties ?? {});
    if (fields.length === 0) {
      this.classes.push("", "@Serializable", `class ${name}`);
      return;
    }
    const lines = fields.flatMap(([key, each]) => {
      const type = this.#type(each, name + pascalCase(key));
      const isRequired = merged.required?.includes(key) && !type.endsWith("?");
      return [
        ...(each.description === undefined
          ? []
          : [`    /** ${each.description.replaceAll("/*", "/&#42;").replaceAll("*/", "&#42;/")} */`]),
        `    val ${keywords.has(key) ? `\`${key}\`` : key}: ${isRequired ? type : `${type.replace(/\?$/, "")}? = null`},`,
      ];
    });
    this.classes.push("", "@Serializable", `data class ${name}(`, ...lines, ")");
  }

  /** Returns alternatives as one class, in which only what all of them have is sure to be there. */
  #merged(schema: Schema): Schema {
    const choices = (schema.anyOf ?? schema.oneOf)?.map((each) => this.#resolved(each));
    if (!choices) return schema;
    const properties: Record<string, Schema> = {};
    for (const { properties: own = {} } of choices)
      for (const [key, each] of Object.entries(own)) {
        const other = properties[key];
        properties[key] = other === undefined || JSON.stringify(other) === JSON.stringify(each) ? each : widened(each);
      }
    const required = Object.keys(properties).filter((key) => choices.every((each) => each.required?.includes(key)));
    return { properties, required };
  }

  #resolved(schema: Schema): Schema {
    return schema.$ref === undefined ? schema : (this.#schemas[refName(schema)] ?? {});
  }

  /** `name` is for an object inside another one, which gets a class of its own. */
  #type(schema: Schema, name: string): string {
    if (schema.$ref !== undefined) return refName(schema);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) {
      const others = choices.filter(({ type }) => type !== "null");
      const [only] = others;
      if (only && others.length === 1) return `${this.#type(only, name)}?`;
      if (others.every((each) => this.#resolved(each).properties)) {
        this.define(name, schema);
        return name;
      }
      return "JsonElement";
    }
    const value = schema.const ?? schema.enum?.[0];
    if (value !== undefined) return typeof value === "boolean" ? "Boolean" : "String";
    switch (schema.type) {
      case "array":
        return `List<${this.#type(schema.items ?? {}, name)}>`;
      case "object":
        if (typeof schema.additionalProperties === "object")
          return `Map<String, ${this.#type(schema.additionalProperties, name)}>`;
        this.define(name, schema);
        return name;
      default:
        return (
          { string: "String", integer: "Long", number: "Double", boolean: "Boolean" }[schema.type ?? ""] ??
          "JsonElement"
        );
    }
  }
}

/** Two different constants are a text or a truth value. */
function widened({ description, const: value, type, enum: values }: Schema): Schema {
  const kind = typeof (value ?? values?.[0]) === "boolean" ? "boolean" : (type ?? "string");
  return { type: kind, ...(description === undefined ? {} : { description }) };
}
