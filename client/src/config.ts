import { join } from "node:path";
import { directoryUrlOf } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import { loadOrCreateKey, parseFingerprint } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { formatHostPort, type OptionValues } from "@porthole/common/options";
import {
  Endpoint,
  fileKnownRelays,
  isLoopback,
  type EndpointAcme,
  type ServerAddress,
  type TrustPolicy,
  type TunnelOptions,
} from "@porthole/common/tunnel";
import { dataFolder, type Clock } from "@porthole/common/util";
import type { clientOptions } from "./options.ts";

export type ClientValues = OptionValues<typeof clientOptions>;

type Prepared = Pick<
  TunnelOptions,
  "servers" | "endpoints" | "trustFor" | "knownRelays" | "transport" | "poolSize" | "suffix" | "name" | "acmeFor"
>;

/** Reads keys and state and checks how the options go together. Throws `usage`, `state` or `key`. */
export async function prepareTunnel(values: ClientValues, context: { clock: Clock; log: Logger }): Promise<Prepared> {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const servers = values.server.map((server): ServerAddress => ({ ...server, text: formatHostPort(server) }));
  const trustFor = trustPolicies(servers, values);
  if (values["force-h2"] && values.transport === "quic")
    throw new PortholeError("usage", "--force-h2 and --transport quic contradict each other");
  const acme = acmeSettings(values, stateDir);
  return {
    servers,
    trustFor,
    // The secondary endpoint is the one that is pinned: it stays self-signed.
    acmeFor: (endpoint) => (endpoint.role === "primary" ? acme : undefined),
    endpoints: await createEndpoints(values, stateDir, context),
    knownRelays: await fileKnownRelays(join(stateDir, "known-relays.json")),
    transport: values["force-h2"] ? "h2" : values.transport,
    poolSize: values["pool-size"],
    suffix: values["domain-suffix"],
    name: values.name,
  };
}

async function createEndpoints(
  values: ClientValues,
  stateDir: string,
  context: { clock: Clock; log: Logger },
): Promise<Endpoint[]> {
  const load = (path: string) => loadOrCreateKey(path, { logger: context.log });
  const primary = await Endpoint.create({
    ...context,
    role: "primary",
    key: await load(values["primary-key"] ?? join(stateDir, "primary-key.pem")),
    local: values.local,
    extension: values["primary-cert-extension-hex"],
    certificatePath: join(stateDir, "primary-self-signed.pem"),
  });
  const secondaryKey = values["secondary-key"];
  const secondaryLocal = values["secondary-local"];
  const extension = values["secondary-cert-extension-hex"];
  if (secondaryKey === undefined && secondaryLocal === undefined) {
    if (extension === undefined) return [primary];
    throw new PortholeError("usage", "--secondary-cert-extension-hex needs a secondary endpoint", {
      hint: "Add --secondary-local or --secondary-key.",
    });
  }
  const secondary = await Endpoint.create({
    ...context,
    role: "secondary",
    key: await load(secondaryKey ?? join(stateDir, "secondary-key.pem")),
    local: secondaryLocal ?? values.local,
    extension,
    certificatePath: join(stateDir, "secondary-self-signed.pem"),
  });
  if (secondary.key.clientId === primary.key.clientId)
    throw new PortholeError("usage", "The primary and the secondary endpoint have the same key", {
      hint: "Each endpoint's name is made from its key: give --secondary-key another file.",
    });
  return [primary, secondary];
}

function acmeSettings(values: ClientValues, stateDir: string): EndpointAcme | undefined {
  if (!values.acme) return undefined;
  const directory = values["acme-directory"];
  const paths = new Map<string, string>();
  return {
    directoryUrl: directoryUrlOf(directory, values["acme-staging"]),
    email: values["acme-email"],
    accountsPath: values["acme-creds-path"] ?? join(stateDir, "acme_creds.json"),
    anyName: directory !== undefined,
    certificatePath(hostname) {
      // Relays under different suffixes give one endpoint several names; the flag is for the first.
      const first = paths.size === 0 ? values["cert-pem"] : undefined;
      const path = paths.get(hostname) ?? first ?? join(stateDir, "certificates", `${hostname}.pem`);
      paths.set(hostname, path);
      return path;
    },
  };
}

function trustPolicies(
  servers: readonly ServerAddress[],
  values: ClientValues,
): (server: ServerAddress) => TrustPolicy {
  const pins = values["server-fingerprint"].map((pin) => parseFingerprint(pin));
  if (pins.length > 1 && pins.length !== servers.length)
    throw new PortholeError(
      "usage",
      `--server-fingerprint is given ${pins.length} times for ${servers.length} servers: give one for all, or one for each in the same order`,
    );
  if (pins.length > 0 && values.insecure)
    throw new PortholeError("usage", "--insecure and --server-fingerprint contradict each other");
  return (server) => {
    if (values.insecure) return { kind: "insecure" };
    const pin = pins.length === 1 ? pins[0] : pins[servers.indexOf(server)];
    if (pin !== undefined) return { kind: "pin", fingerprint: pin };
    return isLoopback(server.host) ? { kind: "first-use" } : { kind: "ca" };
  };
}
