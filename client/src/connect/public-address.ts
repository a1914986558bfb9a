import { PortholeError } from "@porthole/common/errors";
import { isClientId } from "@porthole/common/identity";
import { canonicalHostName } from "@porthole/common/protocol";

/** A public name, as `porthole connect` dials it. */
export interface PublicAddress {
  readonly host: string;
  readonly port: number;
  /** The client id that the name begins with: the key behind it can be checked without an authority. */
  readonly clientId?: string;
}

/** Reads `app.tunnel.example.com`, with `:8443` after it or `https://` before it. Throws `usage`. */
export function parsePublicAddress(text: string): PublicAddress {
  const [, name = "", port = "443"] = /^(?:(?:https|tls|tcp):\/\/)?([^/:@?#]+)(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  const host = canonicalHostName(name);
  const number = Number(port);
  if (host === undefined || !host.includes(".") || number < 1 || number > 65_535)
    throw new PortholeError("usage", `${JSON.stringify(text)} is not a public name`, {
      hint: "Copy it from the URL: porthole connect app.tunnel.example.com, with :PORT where the URL has one.",
    });
  const label = host.slice(0, host.indexOf("."));
  return { host, port: number, ...(isClientId(label) ? { clientId: label } : {}) };
}
