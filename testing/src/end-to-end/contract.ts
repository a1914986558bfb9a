import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";

const file = new URL("../../../tunnel/openrpc.json", import.meta.url);
const validators = new Map<string, ValidateFunction>();
let loaded: { readonly ajv: Ajv; readonly refs: ReadonlyMap<string, string> } | undefined;

/** Throws unless what the daemon has said, an answer or a notification, is what the published contract says, to the last field. */
export function assertContract(name: string, said: unknown): void {
  loaded ??= load();
  const ref = loaded.refs.get(name);
  assert.ok(ref !== undefined, `the contract has no ${name}`);
  const validate = validators.get(name) ?? loaded.ajv.compile({ $ref: `contract${ref}` });
  validators.set(name, validate);
  // What travels is JSON.
  if (!validate(JSON.parse(JSON.stringify(said))))
    assert.fail(`${name}: ${loaded.ajv.errorsText(validate.errors)}: ${JSON.stringify(said)}`);
}

/** Every request and every notification. */
export function contractNames(): readonly string[] {
  return [...(loaded ??= load()).refs.keys()];
}

function load(): NonNullable<typeof loaded> {
  const document = JSON.parse(readFileSync(file, "utf8")) as {
    readonly methods: readonly { readonly name: string; readonly result: { readonly schema: Ref } }[];
    readonly "x-notifications": readonly { readonly name: string; readonly schema: Ref }[];
    readonly components: unknown;
  };
  const ajv = new Ajv({ allErrors: true, strict: false });
  ajv.addSchema({ $id: "contract", components: closed(document.components) });
  const refs = [
    ...document.methods.map(({ name, result }) => [name, result.schema.$ref] as const),
    ...document["x-notifications"].map(({ name, schema }) => [name, schema.$ref] as const),
  ];
  return { ajv, refs: new Map(refs) };
}

interface Ref {
  readonly $ref: string;
}

/** Takes no field that it does not name: callers may meet new ones, and a test of ours may not. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  return fields["type"] === "object" && "properties" in fields && !("additionalProperties" in fields)
    ? { ...fields, additionalProperties: false }
    : fields;
}
