import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { parseFingerprint } from "@porthole/common/identity";
import { formatHostPort, type OptionValues } from "@porthole/common/options";
import type { GatewayOptions, LocalService } from "@porthole/common/gateway";
import type { EndpointSettings, TrustPolicy, TunnelSettings } from "@porthole/common/tunnel";
import { dataFolder } from "@porthole/common/util";
import type { clientOptions } from "./options.ts";

export type ClientValues = OptionValues<typeof clientOptions>;

/** Checks how the options go together. Throws `usage`. */
export function tunnelSettings(values: ClientValues): TunnelSettings {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  if (values["force-h2"] && values.transport === "quic")
    throw new PortholeError("usage", "--force-h2 and --transport quic contradict each other");
  const trusts = trustPolicies(values);
  return {
    stateDir,
    servers: values.server.map((server, index) => ({
      ...server,
      text: formatHostPort(server),
      trust: trusts[index],
    })),
    endpoints: endpointSettings(values, stateDir),
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

function endpointSettings(values: ClientValues, stateDir: string): EndpointSettings[] {
  const { mode, headers, route: routes } = values;
  if (mode === "tcp" && routes.length > 0)
    throw new PortholeError("usage", "--route and --mode tcp contradict each other", {
      hint: "Paths can be told apart only where HTTP is read.",
    });
  const gateway = (local: LocalService): Partial<GatewayOptions> => {
    if (mode === "http" && local.kind === "tcp")
      throw new PortholeError("usage", `--mode http and ${local.text} contradict each other`);
    return { mode, headers };
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

/** One for each server, in the same order; undefined where nothing was said. */
function trustPolicies(values: ClientValues): readonly (TrustPolicy | undefined)[] {
  const pins = values["server-fingerprint"].map((pin) => parseFingerprint(pin));
  const { server: servers, insecure } = values;
  if (pins.length > 1 && pins.length !== servers.length)
    throw new PortholeError(
      "usage",
      `--server-fingerprint is given ${pins.length} times for ${servers.length} servers: give one for all, or one for each in the same order`,
    );
  if (pins.length > 0 && insecure)
    throw new PortholeError("usage", "--insecure and --server-fingerprint contradict each other");
  return servers.map((_server, index): TrustPolicy | undefined => {
    if (insecure) return { kind: "insecure" };
    const fingerprint = pins.length === 1 ? pins[0] : pins[index];
    return fingerprint === undefined ? undefined : { kind: "pin", fingerprint };
  });
}
