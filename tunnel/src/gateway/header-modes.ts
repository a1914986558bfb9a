import type { LocalNames, LocalSide } from "./services/local-side.ts";
import { hopByHop, valuesOf, type RawHeaders, type VisitorConnection } from "../http/index.ts";

/**
 * Two whole sets of headers, never single ones: frameworks compare Host, Origin, Referer and X-Forwarded-* with one another,
 * and refuse a request in which they don't agree (issues of Next.js, Rails and Django; see docs/gateway.md).
 *
 * `transparent`: the service sees the public name everywhere. `localhost`: it sees a request as from a browser on this machine, and
 * of X-Forwarded-* only the visitor's address, because Rails takes scheme and host from the others.
 */
export type SettledHeaderMode = "transparent" | "localhost";

/** Both ways of naming the service that a request goes to. */
export interface Names {
  readonly mode: SettledHeaderMode;
  /** As the visitor wrote it: the public name, and the port unless it is 443. */
  readonly publicAuthority: string;
  readonly local: LocalSide;
  /** For the way back. */
  readonly localNames: LocalNames;
}

/** Fields that only a proxy in front of the service may set: about the visitor, and about its request. */
const proxyFields: ReadonlySet<string> = new Set([
  ...[
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "cf-connecting-ip",
  ],
  ...["cf-connecting-ipv6", "fastly-client-ip", "x-appengine-user-ip", "x-azure-clientip", "x-originating-ip"],
  ...["x-proxyuser-ip", "x-remote-addr", "x-remote-ip", "x-envoy-external-address", "x-original-forwarded-for"],
  // IIS, Symfony, Zend and nginx's auth_request take the path from them: path rules would be walked around.
  ...["x-original-url", "x-rewrite-url", "x-original-uri", "x-override-url", "x-envoy-original-path"],
  ...["x-original-host", "x-host", "x-http-host-override", "x-original-proto", "x-url-scheme", "front-end-https"],
  // A CGI program takes it for the variable HTTP_PROXY (CVE-2016-5385 and its kind).
  "proxy",
]);

/** Returns whether only Porthole may set the field. Servers take `_` for `-`, so both spellings are the same. */
function isOurs(name: string): boolean {
  const plain = name.includes("_") ? name.replaceAll("_", "-") : name;
  if (plain === "host" || plain === "content-length" || hopByHop.has(plain)) return true;
  return plain.startsWith("x-forwarded") || proxyFields.has(plain);
}

export function publicOrigin(authority: string): string {
  return `https://${authority}`;
}

/** The request's headers as the local service gets them, Host first; framing and Connection are the sender's. */
export function toService(headers: RawHeaders, visitor: VisitorConnection, names: Names): string[] {
  const { mode, publicAuthority, local } = names;
  const connectionNames = namedByConnection(headers);
  const result = ["Host", mode === "localhost" ? local.authority : publicAuthority];
  const cookies: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const value = headers[index + 1] ?? "";
    const lower = name.toLowerCase();
    if (isOurs(lower)) continue;
    if (connectionNames?.has(lower) || (lower === "te" && !/\btrailers\b/i.test(value))) continue;
    // HTTP/2 visitors may send a header for each cookie (RFC 9113 8.2.3).
    if (lower === "cookie") cookies.push(value);
    else result.push(name, lower === "te" ? "trailers" : mode === "localhost" ? localized(lower, value, names) : value);
  }
  if (cookies.length > 0) result.push("Cookie", cookies.join("; "));
  result.push("X-Forwarded-For", visitor.address);
  if (mode === "localhost") {
    result.push("Forwarded", `for=${forwardedNode(visitor.address)}`);
    return result;
  }
  const port = /:(\d+)$/.exec(publicAuthority)?.[1] ?? "443";
  result.push("X-Forwarded-Proto", "https", "X-Forwarded-Host", publicAuthority, "X-Forwarded-Port", port);
  // RFC 7239: a colon makes quotes necessary.
  const host = publicAuthority.includes(":") ? `"${publicAuthority}"` : publicAuthority;
  result.push("Forwarded", `for=${forwardedNode(visitor.address)};host=${host};proto=https`);
  return result;
}

/** The request's trailers as the local service gets them: some take them for headers. */
export function trailersToService(trailers: RawHeaders): string[] {
  const result: string[] = [];
  for (let index = 0; index + 1 < trailers.length; index += 2) {
    const name = trailers[index] ?? "";
    if (!isOurs(name.toLowerCase())) result.push(name, trailers[index + 1] ?? "");
  }
  return result;
}

function localized(name: string, value: string, { publicAuthority, local }: Names): string {
  const origin = publicOrigin(publicAuthority);
  if (name === "origin") return value === origin ? local.origin : value;
  if (name === "referer" && (value === origin || value.startsWith(`${origin}/`)))
    return local.origin + value.slice(origin.length);
  return value;
}

function forwardedNode(address: string): string {
  return address.includes(":") ? `"[${address}]"` : /^[\d.]+$/.test(address) ? address : "unknown";
}

function namedByConnection(headers: RawHeaders): Set<string> | undefined {
  const values = valuesOf(headers, "connection");
  if (values.length === 0) return undefined;
  return new Set(values.flatMap((value) => value.split(",")).map((name) => name.trim().toLowerCase()));
}

/**
 * The response's headers as the visitor gets them. Addresses of the local service are never right for a visitor, so they
 * become the public one in every mode; only Access-Control-Allow-Origin answers an Origin that was rewritten.
 */
export function toVisitor(headers: RawHeaders, names: Names): string[] {
  const connectionNames = namedByConnection(headers);
  const result: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || connectionNames?.has(lower)) continue;
    result.push(name, mapped(lower, headers[index + 1] ?? "", names));
  }
  return result;
}

function mapped(name: string, value: string, names: Names): string {
  switch (name) {
    case "location":
    case "content-location":
    // What htmx, Inertia, Turbolinks and debuggers follow.
    case "hx-redirect":
    case "hx-push-url":
    case "hx-replace-url":
    case "x-inertia-location":
    case "turbolinks-location":
    case "sourcemap":
    case "x-sourcemap":
      return publicUrl(value, names);
    case "refresh":
      return value.replace(
        /(url\s*=\s*["']?)([^"']+)/i,
        (_all, before: string, url: string) => before + publicUrl(url, names),
      );
    case "link":
      return value.replace(/<([^<>]*)>/g, (_all, url: string) => `<${publicUrl(url, names)}>`);
    case "set-cookie":
      return value.replace(/;\s*domain\s*=\s*\.?([^;]*)/i, (all, domain: string) =>
        names.localNames.includesHost(domain.trim().toLowerCase()) ? "" : all,
      );
    case "access-control-allow-origin":
      return names.mode === "localhost" && value === names.local.origin ? publicOrigin(names.publicAuthority) : value;
    default:
      return value;
  }
}

/** Absolute URLs of a local service, and of the public name without TLS, lead to the public origin. */
function publicUrl(url: string, { publicAuthority, localNames }: Names): string {
  const match = /^(?:(https?):)?\/\/([^/?#]*)/i.exec(url);
  if (!match) return url;
  const scheme = match[1]?.toLowerCase() ?? "http";
  const authority = (match[2] ?? "").toLowerCase();
  const isOurs = localNames.includes(scheme, authority) || (scheme === "http" && authority === publicAuthority);
  return isOurs ? publicOrigin(publicAuthority) + url.slice(match[0].length) : url;
}
