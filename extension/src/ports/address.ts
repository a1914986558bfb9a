import { isIPv6 } from "node:net";
import { t } from "../text.ts";
import { dialHost, type PortTarget } from "./port-target.ts";

/** The meaning of a typed text, or a sentence that explains why it is no port. */
export type ParsedAddress =
  { readonly target: PortTarget; readonly path: string } | { readonly target?: undefined; readonly problem: string };

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 };

/**
 * Parses what people type and paste: `80`, `localhost:3000`, `[::1]:3000`, `https://localhost`, or a URL with a path. Only its port
 * counts. `new URL` is not used: it drops a port that is its scheme's default.
 */
export function parseAddress(text: string): ParsedAddress {
  const written = text.trim();
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(written) ?? [];
  const known = scheme?.toLowerCase();
  if (known !== undefined && !Object.hasOwn(defaultPorts, known))
    return { problem: t("{0} is not supported here; write http, https or only the port", `${known}://`) };
  const [, authority = "", path = ""] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  if (authority === "") return { problem: t("Write a port, host:port, or an http or https URL") };
  if (authority.includes("@")) return { problem: t("A user name does not belong here") };
  if (/^\d+$/.test(authority) && known === undefined) return withPort("localhost", authority, known, path);
  if (isIPv6(authority)) return { problem: t("Write an IPv6 address in brackets: {0}", `[${authority}]:3000`) };
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  if (
    !(host.startsWith("[") ? isIPv6(bare) : /^[a-z0-9._-]{0,253}$/i.test(host)) ||
    (host === "" && port === undefined)
  )
    return { problem: t("Not a port or address: {0}", written) };
  if (port !== undefined) return withPort(host === "" ? "localhost" : bare, port, known, path);
  const usual = known === undefined ? undefined : defaultPorts[known];
  if (usual === undefined) return { problem: t("Which port of {0}? Write {1}", bare, `${host}:3000`) };
  return withPort(bare, String(usual), known, path);
}

function withPort(host: string, text: string, scheme: string | undefined, path: string): ParsedAddress {
  const port = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port)) return { problem: t("Not a port: {0}", text) };
  if (port < 1 || port > 65_535) return { problem: t("Ports are from 1 to 65535; this is {0}", text) };
  const known = scheme === "http" || scheme === "https" ? scheme : undefined;
  return { target: { host: dialHost(host), port, scheme: known, label: undefined }, path };
}
