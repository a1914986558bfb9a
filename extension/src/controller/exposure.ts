import type { EndpointView, RpcErrorData, TunnelStateView } from "@porthole/tunnel/rpc";
import { localOf, type PortTarget } from "../ports/index.ts";

/** A port that is exposed, or was and can be again. */
export interface Exposure {
  /** The port's id in this window: the workspace folder and the port. The identity has the same. */
  readonly id: string;
  readonly target: PortTarget;
  /** A second name with a self-signed certificate, for this or another port. */
  readonly secondary: { readonly local: string } | undefined;
  /** The friendly name that the user wants in the URL. */
  readonly friendlyName?: string | undefined;
  /** This window exposes it, nobody does as far as this window knows, or another window does. */
  readonly phase: "on" | "off" | "elsewhere";
  /** The project describes it, and it was never exposed. */
  readonly isOffered?: boolean;
  /** The daemon's latest report. Undefined before the first one. */
  readonly tunnel: TunnelStateView | undefined;
  /** When that was, in milliseconds since 1970: delays in it count from then. */
  readonly toldAt?: number;
  /** Why it could not be started. */
  readonly error: RpcErrorData | undefined;
  /** Milliseconds since 1970. */
  readonly lastVisitAt: number | undefined;
}

export function endpointOf({ tunnel }: Exposure, role: EndpointView["role"] = "primary"): EndpointView | undefined {
  return tunnel?.endpoints.find((each) => each.role === role);
}

/** The URLs to give away, the first relay's first. Empty until a relay has reported one. */
export function urlsOf(exposure: Exposure, role: EndpointView["role"] = "primary"): readonly string[] {
  return endpointOf(exposure, role)?.urls ?? [];
}

/** The URL to give away where only one can be. */
export function urlOf(exposure: Exposure, role: EndpointView["role"] = "primary"): string | undefined {
  return urlsOf(exposure, role)[0];
}

/** A relay of the port, with the URL that it gives. */
export interface RelayUrl {
  readonly address: string;
  readonly url: string;
}

/** Returns the URLs of each relay that is online, in the order of the setting. */
export function relayUrlsOf(exposure: Exposure, role: EndpointView["role"] = "primary"): readonly RelayUrl[] {
  const relays = endpointOf(exposure, role)?.relays ?? [];
  return relays.flatMap(({ address, now }) =>
    now.status === "online" ? now.urls.map((url) => ({ address, url })) : [],
  );
}

export function nameOf({ target }: Exposure): string {
  return target.label === undefined ? localOf(target) : `${target.label} · ${target.port}`;
}

export function exposureId(folder: string, { host, port }: PortTarget): string {
  return `${folder}#${host === "localhost" ? "" : `${host}:`}${port}`;
}

/** Why the port is not served: the start failed, or every relay has refused. */
export function failureOf({ error, tunnel }: Exposure): RpcErrorData | undefined {
  return error ?? tunnel?.ended?.error;
}
