import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import type { JoinedRelay } from "@porthole/common/invite";
import { formatHostPort, type OptionValues } from "@porthole/common/options";
import type { AccessSettings } from "@porthole/tunnel/access";
import type { GatewayOptions, LocalService } from "@porthole/tunnel/gateway";
import type { EndpointSettings, ServerSettings, TrustPolicy, TunnelSettings } from "@porthole/tunnel/tunnel";
import { dataFolder } from "@porthole/common/util";
import type { clientOptions } from "./options.ts";

export type ClientValues = OptionValues<typeof clientOptions>;

/**
 * Checks how the options go together; relays that were joined are used when none is named. `gateway` is what has been opened for
 * it, and goes to every endpoint. Throws `usage`.
 */
export function tunnelSettings(
  values: ClientValues,
  joined: readonly JoinedRelay[] = [],
  gateway: Partial<GatewayOptions> = {},
): TunnelSettings {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  if (values["force-h2"] && values.transport === "quic")
    throw new PortholeError("usage", "--force-h2 and --transport quic contradict each other");
  const servers = serverSettings(values, joined);
  return {
    stateDir,
    servers,
    endpoints: endpointSettings(values, stateDir, gateway),
    transport: values["force-h2"] ? "h2" : values.transport,
    poolSize: values["pool-size"],
    suffix: values["domain-suffix"],
    name: values.name,
    acme: values.acme
      ? {
          directory: values["acme-directory"],
          staging: values["acme-staging"],
          email: values["acme-email"],
          accountsPath: values["acme-creds-path"],
          certificatePath: values["cert-pem"],
        }
      : undefined,
  };
}

/** Who may visit, as `openAccess` takes it. Throws `usage`. */
export function accessSettings(values: ClientValues): AccessSettings {
  if ((values["access-webhook"] === undefined) !== (values["access-webhook-secret"] === undefined))
    throw new PortholeError("usage", "--access-webhook and --access-webhook-secret-file belong together");
  return {
    basic: values["access-basic"],
    bearer: values["access-bearer"],
    share: values["access-share"],
    webhook: values["access-webhook"],
    webhookSecret: values["access-webhook-secret"],
    addresses: values["access-address"],
    paths: values["access-path"],
    forMs: values["access-for"],
  };
}

function endpointSettings(values: ClientValues, stateDir: string, opened: Partial<GatewayOptions>): EndpointSettings[] {
  const { mode, headers, route: routes } = values;
  if (mode === "tcp" && routes.length > 0)
    throw new PortholeError("usage", "--route and --mode tcp contradict each other", {
      hint: "Paths can be told apart only where HTTP is read.",
    });
  const gateway = (local: LocalService): Partial<GatewayOptions> => {
    if (mode === "http" && local.kind === "tcp")
      throw new PortholeError("usage", `--mode http and ${local.text} contradict each other`);
    const rule = ruleThatNeedsHttp(values);
    if (rule && (mode === "tcp" || (mode === "auto" && local.kind === "tcp")))
      throw new PortholeError("usage", `${rule} needs HTTP, and ${local.text} is carried as plain bytes`, {
        hint: "--access-address and --access-for hold for bytes, too.",
      });
    return { mode, headers, proxyProtocol: values["local-proxy-protocol"], ...opened };
  };
  const primary: EndpointSettings = {
    role: "primary",
    key: { path: values["primary-key"] ?? join(stateDir, "primary-key.pem") },
    local: values.local,
    // Routes make one origin of several services, and that is the primary one.
    gateway: { ...gateway(values.local), routes },
    extension: values["primary-cert-extension-hex"],
    certificatePath: join(stateDir, "primary-self-signed.pem"),
  };
  const secondaryKey = values["secondary-key"];
  const secondaryLocal = values["secondary-local"];
  const extension = values["secondary-cert-extension-hex"];
  if (secondaryKey === undefined && secondaryLocal === undefined) {
    if (extension === undefined) return [primary];
    throw new PortholeError("usage", "--secondary-cert-extension-hex needs a secondary endpoint", {
      hint: "Add --secondary-local or --secondary-key.",
    });
  }
  const secondary: EndpointSettings = {
    role: "secondary",
    key: { path: secondaryKey ?? join(stateDir, "secondary-key.pem") },
    local: secondaryLocal ?? values.local,
    gateway: gateway(secondaryLocal ?? values.local),
    extension,
    certificatePath: join(stateDir, "secondary-self-signed.pem"),
  };
  return [primary, secondary];
}

/** A flag whose rule has to see requests. */
function ruleThatNeedsHttp(values: ClientValues): string | undefined {
  if (values["access-basic"]) return "--access-basic-file";
  if (values["access-bearer"]) return "--access-bearer-file";
  if (values["access-share"]) return "--access-share";
  if (values["access-webhook"] !== undefined) return "--access-webhook";
  return values["access-path"].length > 0 ? "--access-path" : undefined;
}

function serverSettings(values: ClientValues, joined: readonly JoinedRelay[]): ServerSettings[] {
  const servers = values.server.length > 0 ? values.server : joined;
  if (servers.length === 0)
    throw new PortholeError("usage", "It takes a relay: --server HOST, or join one", {
      hint: "With an invite: porthole join. Without: give --server, or set PORTHOLE_SERVER.",
    });
  const trusts = trustPolicies(values, servers.length);
  return servers.map((server, index): ServerSettings => {
    const { host, port } = server;
    const known = joined.find((each) => each.host === host && each.port === port);
    const pinned: TrustPolicy | undefined =
      known?.pin === undefined ? undefined : { kind: "pin", fingerprint: known.pin };
    return { host, port, text: formatHostPort(server), trust: trusts[index] ?? pinned, token: known?.token };
  });
}

/** What was said for each server, in the same order. */
function trustPolicies(values: ClientValues, count: number): readonly (TrustPolicy | undefined)[] {
  const { insecure, "server-fingerprint": pins } = values;
  if (pins.length > 1 && pins.length !== count)
    throw new PortholeError(
      "usage",
      `--server-fingerprint is given ${pins.length} times for ${count} servers: give one for all, or one for each in the same order`,
    );
  if (pins.length > 0 && insecure)
    throw new PortholeError("usage", "--insecure and --server-fingerprint contradict each other");
  return Array.from({ length: count }, (_server, index): TrustPolicy | undefined => {
    if (insecure) return { kind: "insecure" };
    const fingerprint = pins.length === 1 ? pins[0] : pins[index];
    return fingerprint === undefined ? undefined : { kind: "pin", fingerprint };
  });
}
