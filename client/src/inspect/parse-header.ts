import { PortholeError } from "@porthole/common/errors";
import type { Header } from "@porthole/tunnel/rpc";

/** `Name: value`. Throws `usage`. */
export function parseHeader(line: string): Header {
  const [, name = "", value = ""] = /^([^\s:]+):[ \t]*(.*?)\s*$/.exec(line) ?? [];
  if (name !== "") return { name, value };
  throw new PortholeError("usage", `${JSON.stringify(line)} is not a header; it should be like: Name: value`);
}
