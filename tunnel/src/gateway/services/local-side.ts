import type { ServiceTarget } from "../../http/index.ts";
import { isLoopback } from "@porthole/common/protocol";
import type { LocalService } from "./local-service.ts";
import type { Route } from "./routes.ts";

/** How the local service is called on this machine. */
export interface LocalSide {
  /** As its own Host header would be: `localhost:5173`. */
  readonly authority: string;
  readonly origin: string;
}

const sides = new WeakMap<LocalService, LocalSide>();

/** The same object for the same service: every request asks. */
export function localSide(service: LocalService): LocalSide {
  let side = sides.get(service);
  if (!side) sides.set(service, (side = sideOf(service)));
  return side;
}

function sideOf({ kind, host, port }: LocalService): LocalSide {
  const scheme = kind === "https" ? "https" : "http";
  const name = isLoopback(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  const isDefault = port === (scheme === "https" ? 443 : 80);
  const authority = isDefault ? name : `${name}:${port}`;
  return { authority, origin: `${scheme}://${authority}` };
}

/** All names under which a service may speak of itself or of the others behind the same endpoint. */
export interface LocalNames {
  /** Whether `host:port` (the port may be absent) under this scheme is one of the services. */
  includes(scheme: string, authority: string): boolean;
  /** Whether cookies for this domain are meant for one of them. */
  includesHost(host: string): boolean;
}

const loopbackNames = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

export function localNames(main: LocalService, routes: readonly Route[]): LocalNames {
  const hosts = new Set<string>();
  const authorities = new Set<string>();
  for (const { host, port } of [main, ...routes.map(({ service }) => service)]) {
    const names = isLoopback(host) ? [...loopbackNames, host] : [host.includes(":") ? `[${host}]` : host];
    for (const name of names) {
      hosts.add(name);
      authorities.add(`${name}:${port}`);
    }
  }
  return {
    includes: (scheme, authority) =>
      authorities.has(/:\d+$/.test(authority) ? authority : `${authority}:${scheme === "https" ? 443 : 80}`),
    includesHost: (host) => hosts.has(host),
  };
}

/** Returns a service as the target of requests. A service without a scheme speaks HTTP/1.1. */
export function targetOf(service: LocalService): ServiceTarget {
  const { kind } = service;
  return { ...service, kind: kind === "https" || kind === "h2c" ? kind : "http" };
}
