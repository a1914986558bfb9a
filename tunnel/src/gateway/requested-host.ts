import { canonicalHostName } from "@porthole/common/protocol";
import type { PageKind } from "./visitors/pages.ts";
import { valuesOf } from "../http/index.ts";
import type { VisitorRequest } from "./visitors/visitor.ts";

export type RequestedHost =
  | {
      /** The public name, and a port unless it is 443. */
      readonly authority: string;
      /** Path and query, or `*`. */
      readonly target: string;
    }
  | { readonly status: 400 | 421; readonly page: PageKind };

/**
 * Which host a request is for. There is exactly one Host, and it is one of ours (RFC 9112 3.2, RFC 9110 7.4): servers that
 * disagree about a second one are how requests are smuggled.
 */
export function requestedHost(
  { httpVersion, method, target, headers }: Pick<VisitorRequest, "httpVersion" | "method" | "target" | "headers">,
  /** The name of the TLS connection, for HTTP/1.0, which needs no Host. */
  connectionName: string,
  isOurs: (hostname: string) => boolean,
): RequestedHost {
  // On HTTP/2 nobody else looks: servers split a line of HTTP/1 at other bytes than a space, and take `get` for GET.
  if (!/^[\x21-\x7e]+$/.test(target) || !/^[A-Z][A-Z-]*$/.test(method) || method === "CONNECT")
    return { status: 400, page: "bad-request" };
  const hosts = valuesOf(headers, "host");
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion !== "1.0")) return { status: 400, page: "bad-request" };
  const host = hosts[0] ?? connectionName;
  const absolute = /^(https?):\/\/([^/?#]*)(.*)$/i.exec(target);
  if (!absolute && !target.startsWith("/") && target !== "*") return { status: 400, page: "bad-request" };
  if (target.includes("#")) return { status: 400, page: "bad-request" };
  if (!absolute && isCanonical(host, isOurs)) return { authority: host, target };
  // RFC 9112 3.2.2: the absolute form wins. Who means two hosts by one request means no good.
  const authority = canonicalAuthority(absolute?.[2] ?? host);
  if (authority === undefined || authority !== canonicalAuthority(host))
    return { status: absolute ? 421 : 400, page: absolute ? "misdirected" : "bad-request" };
  if (!isOurs(authority.split(":", 1)[0] ?? "")) return { status: 421, page: "misdirected" };
  const path = absolute?.[3];
  return { authority, target: path === undefined ? target : path.startsWith("/") ? path : `/${path}` };
}

/** Our names are canonical: a host that is one of them, with or without a port, needs no reading. */
function isCanonical(host: string, isOurs: (hostname: string) => boolean): boolean {
  const colon = host.indexOf(":");
  if (colon < 0) return isOurs(host);
  const port = host.slice(colon + 1);
  return port !== "443" && /^[1-9]\d{0,4}$/.test(port) && isOurs(host.slice(0, colon));
}

function canonicalAuthority(text: string): string | undefined {
  const match = /^([^:]*)(?::(\d{1,5}))?$/.exec(text);
  const name = canonicalHostName(match?.[1] ?? "");
  if (!match || name === undefined) return undefined;
  return match[2] === undefined || match[2] === "443" ? name : `${name}:${Number(match[2])}`;
}
