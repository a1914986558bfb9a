import * as v from "valibot";

/** Longer than any id or name that makes sense; a whole message has its own limit. */
const maxIdLength = 200;

export const id = v.pipe(v.string(), v.nonEmpty(), v.maxLength(maxIdLength));
export const ofTunnel = v.object({ tunnel: id });
export const texts = v.array(v.string());
export const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
export const position = v.pipe(v.number(), v.integer(), v.minValue(0));
export const empty = v.object({});
export const role = v.picklist(["primary", "secondary"]);
export const optional = v.exactOptional;

export type Empty = Record<string, never>;
export type OfTunnel = Parameter<typeof ofTunnel>;

/** A private key: its PEM text, or the file that it is in (made if missing). */
export const identityRef = v.union(
  [v.object({ pem: v.string() }), v.object({ path: v.string() })],
  "an object with pem or path",
);
export type IdentityRef = Parameter<typeof identityRef>;

/** What comes out of a schema. Nobody changes it. */
export type Parameter<S extends v.GenericSchema> = DeepReadonly<v.InferOutput<S>>;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** Each may be absent. */
export function partial<T extends v.ObjectEntries>(
  entries: T,
): { [K in keyof T]: v.ExactOptionalSchema<T[K], undefined> } {
  return mapped(entries, (schema) => v.exactOptional(schema as v.GenericSchema)) as never;
}

/** Each may be null. */
export function nullable<T extends v.ObjectEntries>(entries: T): { [K in keyof T]: v.NullableSchema<T[K], undefined> } {
  return mapped(entries, (schema) => v.nullable(schema as v.GenericSchema)) as never;
}

function mapped(entries: v.ObjectEntries, change: (schema: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(entries).map(([key, schema]) => [key, change(schema)]));
}
