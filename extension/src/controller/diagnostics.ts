import type { RpcErrorData, TunnelStateView } from "@porthole/tunnel/rpc";
import type { ControllerState } from "./controller.ts";
import { describeExposure } from "./state-text.ts";

/**
 * What helps somebody else to see what is wrong, and nothing that is nobody's business: no keys, tokens, public names, relay addresses or
 * paths. Names become numbers, so that one can still tell them apart.
 */
export function diagnosticsOf(state: ControllerState, editor: Readonly<Record<string, string>>): string {
  const hide = hider(state);
  const exposures = state.exposures.map((exposure) => ({
    phase: exposure.phase,
    state: describeExposure(exposure, state.daemon, Date.now()),
    scheme: exposure.target.scheme,
    isLoopback: exposure.target.host === "localhost",
    hasSecondary: exposure.secondary !== undefined,
    error: exposure.error,
    tunnel: exposure.tunnel && tunnelFacts(exposure.tunnel),
  }));
  const { daemon } = state;
  const report = {
    editor,
    daemon:
      daemon.status === "waiting"
        ? { status: daemon.status, code: daemon.error.code, message: daemon.error.message }
        : daemon,
    relays: state.relays.length,
    isTrial: state.isTrial,
    exposures,
  };
  return hide(JSON.stringify(report, null, 2));
}

function tunnelFacts({ endpoints, ended }: TunnelStateView): object {
  return {
    ended: ended?.error,
    endpoints: endpoints.map(({ role, localUp, relays, certificates }) => ({
      role,
      localUp,
      relays: relays.map(({ now }) => withoutNames(now)),
      certificates: certificates.map(({ hostname: _hostname, sha256: _sha256, ...status }) => status),
    })),
  };
}

function withoutNames(status: object & { readonly error?: RpcErrorData }): object {
  const { hostnames: _names, urls: _urls, ...rest } = status as Record<string, unknown>;
  return rest;
}

/** Messages name relays, hosts and files. */
function hider({ relays, exposures }: ControllerState): (text: string) => string {
  const names = new Map<string, string>();
  const add = (name: string | undefined, as: string): void => {
    if (name !== undefined && name.length > 2) names.set(name, as);
  };
  for (const [index, { address, label }] of relays.entries()) {
    add(address, `<relay ${index + 1}>`);
    add(address.replace(/:\d+$/, ""), `<relay ${index + 1}>`);
    add(label, `<relay ${index + 1}>`);
  }
  for (const [index, { target, tunnel }] of exposures.entries()) {
    if (target.host !== "localhost") add(target.host, `<host ${index + 1}>`);
    add(target.label, `<label ${index + 1}>`);
    for (const endpoint of tunnel?.endpoints ?? []) {
      for (const { hostname } of endpoint.certificates) add(hostname, `<name ${index + 1}>`);
      add(endpoint.clientId, `<id ${index + 1}>`);
    }
  }
  const longestFirst = [...names].toSorted(([a], [b]) => b.length - a.length);
  return (text) => {
    let hidden = text;
    for (const [name, as] of longestFirst) hidden = hidden.replaceAll(name, as);
    // What is left of paths says who the user is.
    return hidden.replaceAll(/(?:\/(?:home|Users|root)\/|[A-Z]:\\\\Users\\\\)[^"\s,)]*/g, "<path>");
  };
}
