import { isIPv4, isIPv6 } from "node:net";
import { t } from "../text.ts";
import { dialHost, type PortTarget } from "./port-target.ts";

/** The meaning of a typed text, or a sentence that explains why it is no port. */
export type ParsedAddress =
  { readonly target: PortTarget; readonly path: string } | { readonly target?: undefined; readonly problem: string };

/** WebSockets are HTTP on the same port. */
const schemes: Readonly<Record<string, "http" | "https">> = { http: "http", https: "https", ws: "http", wss: "https" };
const defaultPorts = { http: 80, https: 443 };
/** A file, a folder or a socket file. */
const isPath = /^(unix:|file:|\.{0,2}[/\\]|~[/\\]|[a-z]:\\)/i;

/**
 * Parses what people type and paste: `80`, `３０００`, `localhost:3000`, `[::1]:3000`, `https://localhost`, or a URL with a path. Only its port
 * counts. `new URL` is not used: it drops a port that is its scheme's default.
 */
export function parseAddress(text: string): ParsedAddress {
  // Input methods write wide digits and colons; what is copied may have marks in it that nobody sees.
  const written = text
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .trim();
  if (isPath.test(written) && !written.startsWith("//"))
    return { problem: t("A file or folder has no port. Expose the server that serves it") };
  if (/^\d+\s*[-,;\s]\s*\d+/.test(written)) return { problem: t("One port at a time") };
  const [, scheme, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(written) ?? [];
  const given = scheme?.toLowerCase() ?? "";
  const known = Object.hasOwn(schemes, given) ? schemes[given] : undefined;
  if (scheme !== undefined && known === undefined)
    return { problem: t("{0} is not supported here; write http, https or only the port", `${given}://`) };
  const [, authority = "", path = ""] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  if (authority === "") return { problem: t("Write a port, host:port, or an http or https URL") };
  if (authority.includes("@")) return { problem: t("A user name does not belong here") };
  if (/^\d+$/.test(authority) && known === undefined) return withPort("localhost", authority, known, path);
  if (isIPv6(authority)) return { problem: t("Write an IPv6 address in brackets: {0}", `[${authority}]:3000`) };
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  const isScheme = known === undefined && Object.hasOwn(schemes, host.toLowerCase());
  if (!(host.startsWith("[") ? isIPv6(bare) : isHost(host)) || isScheme || (host === "" && port === undefined))
    return { problem: t("Not a port or address: {0}", written) };
  if (port !== undefined) return withPort(host === "" ? "localhost" : bare, port, known, path);
  const usual = known === undefined ? undefined : defaultPorts[known];
  if (usual === undefined) return { problem: t("Which port of {0}? Write {1}", bare, `${host}:3000`) };
  return withPort(bare, String(usual), known, path);
}

/** Empty, a name, or an IPv4 address. As in URLs, what ends in a number is no name. */
function isHost(host: string): boolean {
  const labels = host === "" ? [] : host.replace(/\.$/, "").split(".");
  if (host.length > 253 || !labels.every((label) => /^\w[\w-]{0,62}$/.test(label))) return false;
  return isIPv4(host) || !/(^|\.)(\d+|0x[\da-f]*)\.?$/i.test(host);
}

function withPort(host: string, text: string, scheme: "http" | "https" | undefined, path: string): ParsedAddress {
  const port = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(port)) return { problem: t("Not a port: {0}", text) };
  if (port < 1 || port > 65_535) return { problem: t("Ports are from 1 to 65535; this is {0}", text) };
  return { target: { host: dialHost(host), port, scheme, label: undefined }, path };
}
