import { pascalCase, refName, type OpenRpc, type Schema } from "../rpc-schema.ts";

/** The Python client's types and calls, from the contract: `clients/python/src/porthole/types.py`. */
export function pythonContract({ methods, "x-notifications": notifications, components }: OpenRpc): string {
  const module = new Module();
  for (const [name, schema] of Object.entries(components.schemas)) module.define(name, schema);
  const calls = methods.map(({ name, "x-params": params, result }) => ({
    ...{ name, params: refName(params), result: refName(result.schema) },
  }));
  const events = notifications.map(({ name, schema }) => ({ name, params: refName(schema) }));
  return [
    '"""Generated from tunnel/openrpc.json by `npm run docs`. Field names are those of the wire."""',
    "",
    "from __future__ import annotations",
    "",
    "from typing import Any, Callable, Dict, List, Literal, TypedDict, Union, overload",
    ...module.classes,
    "",
    ...module.aliases,
    "",
    ...contractClass("AsyncContract", "async def", calls, events),
    "",
    ...contractClass("Contract", "def", calls, events),
    "",
  ].join("\n");
}

const keywords = new Set(["from", "class", "def", "global", "import", "in", "is", "not", "pass", "return", "with"]);

class Module {
  readonly classes: string[] = [];
  /** Evaluated when the module is loaded, so they come after the classes. */
  readonly aliases: string[] = [];

  define(name: string, schema: Schema): void {
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) {
      const names = choices.map((choice) => this.#expression(choice, name + choiceName(choice)));
      this.aliases.push(`${name} = Union[${names.map((each) => `"${each}"`).join(", ")}]`);
    } else if (schema.properties) this.#class(name, schema);
    else this.aliases.push(`${name} = ${this.#expression(schema, name)}`);
  }

  #class(name: string, { properties = {}, required = [] }: Schema): void {
    const fields = Object.entries(properties).map(([key, each]) => ({
      key,
      isRequired: required.includes(key),
      lines: [
        ...(each.description === undefined ? [] : wrap(each.description, "    #: ")),
        `    ${key}: ${this.#expression(each, name + pascalCase(key))}`,
      ],
      expression: this.#expression(each, name + pascalCase(key)),
    }));
    const [plain, special] = [
      fields.filter(({ key }) => !keywords.has(key)),
      fields.filter(({ key }) => keywords.has(key)),
    ];
    const mandatory = plain.filter(({ isRequired }) => isRequired);
    const optional = plain.filter(({ isRequired }) => !isRequired);
    let base = "TypedDict";
    if (special.length > 0) {
      base = `_${name}Keywords`;
      const items = special.map(({ key, expression }) => `"${key}": "${expression.replaceAll('"', "'")}"`);
      this.classes.push("", "", `${base} = TypedDict("${base}", {${items.join(", ")}})`);
    }
    const parts = [mandatory, optional].filter((part) => part.length > 0);
    for (const [index, part] of (parts.length > 0 ? parts : [[]]).entries()) {
      const own = index === parts.length - 1 || parts.length === 0 ? name : `_${name}Required`;
      const total = part === optional ? ", total=False" : "";
      this.classes.push("", "", `class ${own}(${base}${total}):`);
      this.classes.push(...(part.length > 0 ? part.flatMap(({ lines }) => lines) : ["    pass"]));
      base = own;
    }
  }

  /** `name` is for an object inside another one, which gets a class of its own. */
  #expression(schema: Schema, name: string): string {
    const choices = schema.anyOf ?? schema.oneOf;
    if (schema.$ref !== undefined) return refName(schema);
    if (choices) return `Union[${choices.map((each) => this.#expression(each, name + choiceName(each))).join(", ")}]`;
    if (schema.const !== undefined) return `Literal[${literal(schema.const)}]`;
    if (schema.enum) return `Literal[${schema.enum.map(literal).join(", ")}]`;
    switch (schema.type) {
      case "array":
        return `List[${this.#expression(schema.items ?? {}, name)}]`;
      case "object":
        if (typeof schema.additionalProperties === "object")
          return `Dict[str, ${this.#expression(schema.additionalProperties, name)}]`;
        if (!this.classes.some((line) => line.startsWith(`class ${name}(`))) this.#class(name, schema);
        return name;
      default:
        return (
          { string: "str", integer: "int", number: "float", boolean: "bool", null: "None" }[schema.type ?? ""] ?? "Any"
        );
    }
  }
}

/** What sets an alternative apart: the value of its constant field, or its first field. */
function choiceName({ properties = {}, required = [] }: Schema): string {
  const constant = Object.values(properties).find((each) => each.const !== undefined)?.const;
  return pascalCase(
    typeof constant === "string"
      ? constant
      : constant === undefined
        ? (required[0] ?? "")
        : constant === true
          ? "yes"
          : "no",
  );
}

interface Call {
  readonly name: string;
  readonly params: string;
  readonly result: string;
}

function contractClass(
  name: string,
  definition: string,
  calls: readonly Call[],
  events: readonly Omit<Call, "result">[],
): string[] {
  return [
    "",
    `class ${name}:`,
    ...calls.flatMap((call) => [
      "    @overload",
      `    ${definition} call(self, method: Literal["${call.name}"], params: ${call.params}, *, timeout: float = ...) -> ${call.result}: ...`,
    ]),
    `    ${definition} call(self, method: Any, params: Any, *, timeout: float = 150) -> Any:`,
    '        """Makes a request. Raises `PortholeError` with the daemon\'s code."""',
    "        raise NotImplementedError",
    "",
    ...events.flatMap((event) => [
      "    @overload",
      `    def on(self, name: Literal["${event.name}"], listener: Callable[[${event.params}], None]) -> Callable[[], None]: ...`,
    ]),
    "    def on(self, name: Any, listener: Callable[[Any], None]) -> Callable[[], None]:",
    '        """Calls back for each notification. Returns a function that ends that."""',
    "        raise NotImplementedError",
  ];
}

function literal(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}

function wrap(text: string, prefix: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length > 90) {
      lines.push(prefix + line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, prefix + line];
}
