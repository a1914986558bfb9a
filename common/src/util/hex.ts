import { PortholeError } from "../errors.ts";

/** The bytes of a hexadecimal text. The error names the place and not the text, which may be a secret. */
export function parseHex(text: string): Buffer {
  const badAt = text.search(/[^0-9a-fA-F]/);
  if (badAt >= 0)
    throw new PortholeError("usage", `Character ${badAt + 1} is ${JSON.stringify(text[badAt])}, not a hex digit`);
  if (text.length === 0) throw new PortholeError("usage", "No hex digits");
  if (text.length % 2 !== 0)
    throw new PortholeError("usage", `${text.length} hex digits are not whole bytes: two digits make one`);
  return Buffer.from(text, "hex");
}
