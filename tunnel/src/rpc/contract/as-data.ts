import { PortholeError } from "@porthole/common/errors";
import { rpcErrorData, type RpcErrorData } from "../errors.ts";

/** The same with errors as data: what JSON can carry. */
export type AsData<T> = T extends PortholeError
  ? RpcErrorData
  : T extends readonly (infer E)[]
    ? readonly AsData<E>[]
    : T extends object
      ? { readonly [K in keyof T]: AsData<Exclude<T[K], undefined>> }
      : T;

export function asData<T>(value: T): AsData<T> {
  return convert(value) as AsData<T>;
}

function convert(value: unknown): unknown {
  if (value instanceof PortholeError) return rpcErrorData(value);
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== "object" || value === null) return value;
  const data: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) if (field !== undefined) data[key] = convert(field);
  return data;
}
