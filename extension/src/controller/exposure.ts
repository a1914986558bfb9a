import type { EndpointView, RpcErrorData, TunnelStateView } from "@porthole/tunnel/rpc";
import { localOf, type PortTarget } from "../ports/index.ts";

/** A port that is exposed, or was and can be again. */
export interface Exposure {
  /** Of this window: the workspace folder and the port. The identity has the same. */
  readonly id: string;
  readonly target: PortTarget;
  /** A second name with a self-signed certificate, for this or another port. */
  readonly secondary: { readonly local: string } | undefined;
  readonly phase: "on" | "off";
  /** What the daemon has said last; absent before it has said anything. */
  readonly tunnel: TunnelStateView | undefined;
  /** Why it could not be started. */
  readonly error: RpcErrorData | undefined;
  /** Milliseconds since 1970. */
  readonly lastVisitAt: number | undefined;
}

export function endpointOf({ tunnel }: Exposure, role: EndpointView["role"] = "primary"): EndpointView | undefined {
  return tunnel?.endpoints.find((each) => each.role === role);
}

/** The URL to give away. Absent until a relay has said it once. */
export function urlOf(exposure: Exposure, role: EndpointView["role"] = "primary"): string | undefined {
  return endpointOf(exposure, role)?.urls[0];
}

export function nameOf({ target }: Exposure): string {
  return target.label === undefined ? localOf(target) : `${target.label} · ${target.port}`;
}

export function exposureId(folder: string, { host, port }: PortTarget): string {
  return `${folder}#${host === "localhost" ? "" : `${host}:`}${port}`;
}

/** Why nothing goes on: the start failed, or every relay has refused. */
export function failureOf({ error, tunnel }: Exposure): RpcErrorData | undefined {
  return error ?? tunnel?.ended?.error;
}
