import { PortholeError } from "@porthole/common/errors";

/** An argument of a tool: enough of JSON Schema for what the tools take, and checked by the same table. */
export interface Field {
  readonly type: "string" | "integer";
  readonly description: string;
  readonly isRequired?: boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export type Fields = Readonly<Record<string, Field>>;
export type Values = Readonly<Record<string, string | number | undefined>>;

const maxTextChars = 2_000;

/** The JSON Schema that assistants see. */
export interface InputSchema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, object>>;
  readonly required: string[];
  readonly additionalProperties: false;
}

export function inputSchema(fields: Fields): InputSchema {
  return {
    type: "object",
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, { isRequired: _required, ...field }]) => [name, field]),
    ),
    required: Object.keys(fields).filter((name) => fields[name]?.isRequired),
    additionalProperties: false,
  };
}

/** Checks what an assistant has sent. Throws `usage` that names the argument. */
export function readInput(fields: Fields, input: unknown): Values {
  const given = (input ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof given !== "object" || Array.isArray(given)) throw wrong("The input", "an object");
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
  if (unknown !== undefined)
    throw new PortholeError("usage", `There is no argument ${JSON.stringify(unknown.slice(0, 50))}`, {
      hint: `The arguments are: ${Object.keys(fields).join(", ") || "none"}.`,
    });
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, readField(name, field, given[name])]));
}

function readField(name: string, field: Field, value: unknown): string | number | undefined {
  const { type, isRequired, enum: choices, minimum = -Infinity, maximum = Infinity } = field;
  if (value === undefined || value === null) {
    if (isRequired) throw wrong(name, "given");
    return undefined;
  }
  if (type === "integer") {
    if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    throw wrong(name, `a whole number from ${minimum} to ${maximum}`);
  }
  if (typeof value !== "string" || value.length > maxTextChars) throw wrong(name, "a text");
  if (choices && !choices.includes(value)) throw wrong(name, `one of ${choices.join(", ")}`);
  return value;
}

function wrong(what: string, expected: string): PortholeError {
  return new PortholeError("usage", `${what} has to be ${expected}`);
}
