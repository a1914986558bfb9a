import { isAbsolute } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import {
  parseCertificates,
  parseLocalService,
  parseRoute,
  type GatewayOptions,
  type LocalService,
  type ServiceTrust,
} from "../../gateway/index.ts";
import { parseFingerprint } from "@porthole/common/identity";
import type { JoinedRelay, JoinedRelays } from "@porthole/common/invite";
import { formatHostPort, friendlyLabel, hostPort } from "@porthole/common/options";
import { defaultApiPort, parseDirectoryUrl } from "@porthole/common/protocol";
import { type EndpointSettings, type KeySource, type ServerSettings, type TunnelSettings } from "../../tunnel/index.ts";
import { parseHex, Secret } from "@porthole/common/util";
import type { ExternalKeys } from "./external-keys.ts";
import type { EndpointSpec, IdentityRef, RelaySpec, TunnelSpec } from "../contract/index.ts";

const relayAddress = hostPort(defaultApiPort);
const defaultPoolSize = 4;

export interface SettingsContext {
  readonly stateDir: string;
  /** Used when a tunnel names no relay, and known again when it does. */
  readonly joined: JoinedRelays;
  /** The person's key; the primary endpoint's when absent. */
  readonly owner: KeySource | undefined;
  readonly externalKeys: ExternalKeys;
}

/** What one endpoint of a tunnel is made from. Throws `usage` that names the field. */
export function endpointTunnel(
  spec: TunnelSpec,
  role: EndpointSettings["role"],
  { stateDir, joined, owner, externalKeys }: SettingsContext,
): TunnelSettings {
  const endpoint = role === "primary" ? spec.primary : spec.secondary;
  if (!endpoint) throw new PortholeError("internal", `The tunnel has no ${role} endpoint`);
  const servers =
    spec.relays?.map((relay, index) => serverSettings(relay, `relays.${index}`, joined)) ??
    joined.all.map((relay) => joinedServer(relay));
  if (servers.length === 0)
    throw new PortholeError("usage", "No relay is named, and none is remembered", {
      hint: "Give relays, or add one with relay/add.",
    });
  const { acme, name } = spec;
  return {
    stateDir,
    servers,
    endpoints: [{ ...endpointSettings(endpoint, role, spec, externalKeys), gateway: gatewayOptions(spec, role) }],
    transport: spec.transport ?? "auto",
    poolSize: spec.poolSize ?? defaultPoolSize,
    suffix: spec.suffix,
    owner: owner ?? keySource(spec.primary.identity, "primary.identity", externalKeys),
    name: role === "primary" && name !== undefined ? at("name", () => friendlyLabel.parse(name)) : undefined,
    acme: acme?.enabled === false ? undefined : { ...acme, staging: acme?.staging ?? false },
  };
}

/** The service of one endpoint. Throws `usage` that names the field. */
export function endpointService(
  { local }: EndpointSpec,
  role: EndpointSettings["role"],
  spec: TunnelSpec,
): LocalService {
  const trust = trusting(serviceTrust(spec));
  return { ...at(`${role}.local`, () => parseLocalService(local)), ...trust };
}

function serviceTrust({ localCa, localInsecure }: TunnelSpec): ServiceTrust | undefined {
  if (localCa !== undefined && localInsecure)
    throw new PortholeError("usage", "localCa and localInsecure contradict each other");
  if (localInsecure) return { insecure: true };
  return localCa === undefined ? undefined : { ca: at("localCa", () => parseCertificates(localCa)) };
}

function trusting(trust: ServiceTrust | undefined): { readonly trust?: ServiceTrust } {
  return trust ? { trust } : {};
}

/** How visitors are treated, but for who is let in. Throws `usage` for what goes together in no way. */
export function gatewayOptions(
  spec: TunnelSpec,
  role: EndpointSettings["role"],
): Omit<GatewayOptions, "access" | "observer"> {
  const { mode = "auto", headers = "auto", routes = [], paused = false, localProxyProtocol = false } = spec;
  const trust = trusting(serviceTrust(spec));
  if (mode === "tcp" && routes.length > 0)
    throw new PortholeError("usage", "routes and the mode tcp contradict each other", {
      hint: "Paths can be told apart only where HTTP is read.",
    });
  return {
    mode,
    headers,
    paused,
    proxyProtocol: localProxyProtocol,
    // Routes make one origin of several services, and that is the primary one.
    routes:
      role === "primary"
        ? routes.map(({ path, local }, index) => {
            const route = at(`routes.${index}`, () => parseRoute(`${path}=${local}`));
            return { ...route, service: { ...route.service, ...trust } };
          })
        : [],
  };
}

/** `where` is the field's path, for errors. */
export function serverSettings(relay: RelaySpec, where: string, joined: JoinedRelays): ServerSettings {
  const { pin, token, ...server } = readRelay(relay, where);
  if (relay.insecure && pin !== undefined)
    throw new PortholeError("usage", `${where}: insecure and a fingerprint contradict each other`);
  const known = joined.find(server);
  const settings = joinedServer({
    ...server,
    pin: pin ?? known?.pin,
    token: token ?? known?.token,
    certificateDirectory: server.certificateDirectory ?? known?.certificateDirectory,
  });
  return relay.insecure ? { ...settings, trust: { kind: "insecure" } } : settings;
}

/** What a relay's description says. Throws `usage` that names the field. */
export function readRelay(relay: RelaySpec, where: string): JoinedRelay {
  const { address, fingerprint, token, label, certificateDirectory } = relay;
  return {
    ...at(`${where}.address`, () => relayAddress.parse(address)),
    pin: fingerprint === undefined ? undefined : at(`${where}.fingerprint`, () => parseFingerprint(fingerprint)),
    token: token === undefined ? undefined : new Secret(token),
    label,
    certificateDirectory:
      certificateDirectory && at(`${where}.certificateDirectory`, () => directoryUrl(certificateDirectory)),
  };
}

function directoryUrl(text: string): string {
  const url = parseDirectoryUrl(text);
  if (url !== undefined) return url;
  throw new PortholeError("usage", `${JSON.stringify(text)} is not an https URL`);
}

function joinedServer({ host, port, pin, token, certificateDirectory }: JoinedRelay): ServerSettings {
  const trust = pin === undefined ? undefined : ({ kind: "pin", fingerprint: pin } as const);
  return { host, port, text: formatHostPort({ host, port }), trust, token, certificateDirectory };
}

function endpointSettings(
  endpoint: EndpointSpec,
  role: EndpointSettings["role"],
  spec: TunnelSpec,
  externalKeys: ExternalKeys,
): EndpointSettings {
  const { identity, extensionHex, certificatePath } = endpoint;
  return {
    role,
    key: keySource(identity, `${role}.identity`, externalKeys),
    local: endpointService(endpoint, role, spec),
    certificatePath,
    extension: extensionHex === undefined ? undefined : at(`${role}.extensionHex`, () => parseHex(extensionHex)),
  };
}

/** A relative path would depend on where this process was started. */
export function keySource(identity: IdentityRef, where: string, externalKeys: ExternalKeys): KeySource {
  if ("publicKey" in identity)
    return { external: async () => externalKeys.open(identity.publicKey, `${where}.publicKey`) };
  if ("path" in identity && !isAbsolute(identity.path))
    throw new PortholeError("usage", `${where}.path: ${JSON.stringify(identity.path)} is not an absolute path`);
  return identity;
}

/** The error says which field. */
function at<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (reason) {
    const { code, message, hint } = PortholeError.from(reason);
    throw new PortholeError(code, `${path}: ${message}`, { cause: reason, ...(hint === undefined ? {} : { hint }) });
  }
}
