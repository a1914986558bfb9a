import * as v from "valibot";
import { optional } from "../fields.ts";

export const text = v.string();
export const number = v.number();
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const flag = v.boolean();
export const texts = v.array(text);

export const role = v.picklist(["primary", "secondary"]);
export const linkKind = v.picklist(["memory", "http2", "quic"]);

export const rpcErrorData = v.object({
  code: text,
  message: text,
  hint: optional(text),
  retryAfterMs: optional(number),
  retryable: flag,
});
