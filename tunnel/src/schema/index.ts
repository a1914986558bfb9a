import * as v from "valibot";

/** The output of a schema, read-only at every depth. */
export type Data<S extends v.GenericSchema> = DeepReadonly<v.InferOutput<S>>;

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export const optional = v.exactOptional;
export const text = v.string();
export const number = v.number();
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const flag = v.boolean();
export const texts = v.array(text);
export const role = v.picklist(["primary", "secondary"]);

/** Longer than any id or name that makes sense; a whole message has its own limit. */
const maxIdLength = 200;
export const id = v.pipe(text, v.nonEmpty(), v.maxLength(maxIdLength));
