import * as v from "valibot";
import { text, type Data } from "../../schema/index.ts";

export const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
export const empty = v.object({});

export const logLevel = v.picklist(["debug", "info", "warn", "error"]);
export type LogLevel = Data<typeof logLevel>;

/** A private key: its PEM text, or the file that it is in (made if missing). Or the public half of one that the caller holds. */
export const identityRef = v.union(
  [
    v.object({ pem: text }),
    v.object({ path: text }),
    /** SubjectPublicKeyInfo: PEM, or the DER in base64. The caller is asked for signatures by `identity/sign`. */
    v.object({ publicKey: text }),
  ],
  "an object with pem, path or publicKey",
);
export type IdentityRef = Data<typeof identityRef>;

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
