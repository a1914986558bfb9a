import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { formatHostPort } from "@porthole/common/options";
import { systemClock, type Secret } from "@porthole/common/util";
import type { LocalService } from "@porthole/tunnel/gateway";
import type { AccessSpec, EndpointSpec, RelaySpec, TunnelSpec } from "@porthole/tunnel/rpc";
import type { ClientValues } from "./options.ts";
import { mainTunnel } from "./running-client.ts";
import type { NamedTarget, Target } from "./targets.ts";

/** The tunnel of `--local`. Checks how the options go together; `joined` relays are used when none is named. Throws `usage`. */
export function tunnelSpec(values: ClientValues, stateDir: string, joined: readonly RelaySpec[] = []): TunnelSpec {
  return targetSpec(values, { name: mainTunnel, service: values.local }, stateDir, joined);
}

/** Returns the targets of a command line, or that of `--local` when it names none. Throws `usage`. */
export function targetsOf(values: ClientValues, targets: readonly Target[]): readonly Target[] {
  const [first] = targets;
  if (first && targets.length > 1) refuseForMany(values);
  return first ? targets : [{ name: undefined, service: values.local }];
}

/** The tunnels of the targets, each with its own options or else those of the command line. Throws `usage`. */
export function tunnelSpecs(
  values: ClientValues,
  targets: readonly NamedTarget[],
  stateDir: string,
  joined: readonly RelaySpec[],
): readonly TunnelSpec[] {
  return targets.map((target) => targetSpec(target.values ?? values, target, stateDir, joined));
}

/** Throws `usage` for an option that can be meant for one tunnel only. */
function refuseForMany(values: ClientValues): void {
  const given = {
    name: values.name !== undefined,
    route: values.route.length > 0,
    "cert-pem": values["cert-pem"] !== undefined,
    "secondary-key": values["secondary-key"] !== undefined,
    "secondary-local": values["secondary-local"] !== undefined,
    "primary-cert-extension-hex": values["primary-cert-extension-hex"] !== undefined,
  };
  const flag = Object.entries(given).find(([, isGiven]) => isGiven)?.[0];
  if (flag !== undefined)
    throw new PortholeError("usage", `--${flag} is for one tunnel, and several are named`, {
      hint: "Start that tunnel by a command of its own; it joins the client that runs.",
    });
}

function targetSpec(
  values: ClientValues,
  { name: id, service }: NamedTarget,
  stateDir: string,
  joined: readonly RelaySpec[],
): TunnelSpec {
  if (values["local-ca"] !== undefined && values["local-insecure"])
    throw new PortholeError("usage", "--local-ca and --local-insecure contradict each other");
  if (values["force-h2"] && values.transport === "quic")
    throw new PortholeError("usage", "--force-h2 and --transport quic contradict each other");
  checkModes(values, service);
  const access = accessSpec(values);
  const suffix = values["domain-suffix"];
  return {
    id,
    relays: relaySpecs(values, joined),
    ...endpointSpecs(values, id, service, stateDir),
    transport: values["force-h2"] ? "h2" : values.transport,
    poolSize: values["pool-size"],
    ...(suffix !== undefined && { suffix }),
    ...(values.name !== undefined && { name: values.name }),
    mode: values.mode,
    headers: values.headers,
    routes: values.route.map(({ path, service }) => ({ path, local: service.text })),
    localProxyProtocol: values["local-proxy-protocol"],
    ...given({ localCa: values["local-ca"], localInsecure: values["local-insecure"] || undefined }),
    ...(access && { access }),
    ...(values.inspect && { inspect: { redact: values.redact } }),
    acme: acmeSpec(values),
  };
}

function acmeSpec(values: ClientValues): NonNullable<TunnelSpec["acme"]> {
  return given({
    enabled: values.acme,
    staging: values["acme-staging"],
    directory: values["acme-directory"],
    email: values["acme-email"],
    accountsPath: values["acme-creds-path"],
    certificatePath: values["cert-pem"],
  });
}

/** Undefined when no rule is given. */
function accessSpec(values: ClientValues): AccessSpec | undefined {
  const { "access-webhook": scheme, "access-webhook-secret": secret, "access-for": forMs } = values;
  if ((scheme === undefined) !== (secret === undefined))
    throw new PortholeError("usage", "--access-webhook and --access-webhook-secret-file belong together");
  const { "access-address": addresses, "access-path": paths, "access-share": share } = values;
  const rules = given({
    users: lines(values["access-basic"]),
    bearerTokens: lines(values["access-bearer"]),
    share: share || undefined,
    webhook: scheme === undefined ? undefined : { scheme, secrets: lines(secret) ?? [] },
    addresses: addresses.length > 0 ? addresses : undefined,
    paths: paths.length > 0 ? paths : undefined,
    endsAt: forMs === undefined ? undefined : systemClock.now() + forMs,
  });
  return Object.keys(rules).length > 0 ? rules : undefined;
}

/** The key that relays know the user by. It is also the key of the tunnel `main`. */
export function ownerKeyPath(values: Pick<ClientValues, "primary-key">, stateDir: string): string {
  return values["primary-key"] ?? join(stateDir, "primary-key.pem");
}

function endpointSpecs(
  values: ClientValues,
  id: string,
  local: LocalService,
  stateDir: string,
): Pick<TunnelSpec, "primary" | "secondary"> {
  const isMain = id === mainTunnel;
  const primary = endpointSpec({
    path: isMain ? ownerKeyPath(values, stateDir) : join(stateDir, "tunnels", `${id}.pem`),
    local,
    extension: values["primary-cert-extension-hex"],
    certificatePath: isMain ? join(stateDir, "primary-self-signed.pem") : undefined,
  });
  const secondaryKey = values["secondary-key"];
  const secondaryLocal = values["secondary-local"];
  const extension = values["secondary-cert-extension-hex"];
  if (secondaryKey === undefined && secondaryLocal === undefined) {
    if (extension === undefined) return { primary };
    throw new PortholeError("usage", "--secondary-cert-extension-hex needs a secondary endpoint", {
      hint: "Add --secondary-local or --secondary-key.",
    });
  }
  const secondary = endpointSpec({
    path: secondaryKey ?? join(stateDir, "secondary-key.pem"),
    local: secondaryLocal ?? local,
    extension,
    certificatePath: join(stateDir, "secondary-self-signed.pem"),
  });
  return { primary, secondary };
}

interface EndpointValues {
  readonly path: string;
  readonly local: LocalService;
  readonly extension: Buffer | undefined;
  /** In the state folder, by the client id, when undefined. */
  readonly certificatePath: string | undefined;
}

function endpointSpec({ path, local, extension, certificatePath }: EndpointValues): EndpointSpec {
  const extensionHex = extension && { extensionHex: extension.toString("hex") };
  const kept = certificatePath === undefined ? {} : { certificatePath };
  return { identity: { path }, local: local.text, ...kept, ...extensionHex };
}

function checkModes(values: ClientValues, local: LocalService): void {
  const { mode, route: routes, "secondary-local": secondary } = values;
  if (mode === "tcp" && routes.length > 0)
    throw new PortholeError("usage", "--route and --mode tcp contradict each other", {
      hint: "Paths can be told apart only where HTTP is read.",
    });
  for (const service of secondary ? [local, secondary] : [local]) {
    if (mode === "http" && service.kind === "tcp")
      throw new PortholeError("usage", `--mode http and ${service.text} contradict each other`);
    const rule = ruleThatNeedsHttp(values);
    if (rule && (mode === "tcp" || (mode === "auto" && service.kind === "tcp")))
      throw new PortholeError("usage", `${rule} needs HTTP, and ${service.text} is carried as plain bytes`, {
        hint: "--access-address and --access-for hold for bytes, too.",
      });
  }
}

/** A flag whose rule has to see requests. */
function ruleThatNeedsHttp(values: ClientValues): string | undefined {
  if (values["access-basic"]) return "--access-basic-file";
  if (values["access-bearer"]) return "--access-bearer-file";
  if (values["access-share"]) return "--access-share";
  if (values["access-webhook"] !== undefined) return "--access-webhook";
  return values["access-path"].length > 0 ? "--access-path" : undefined;
}

function relaySpecs(values: ClientValues, joined: readonly RelaySpec[]): RelaySpec[] {
  const named = values.server.map((server) => ({ address: formatHostPort(server) }));
  const relays = named.length > 0 ? named : joined;
  if (relays.length === 0)
    throw new PortholeError("usage", "It takes a relay: --server HOST, or join one", {
      hint: "With an invite: porthole join. Without: give --server, or set PORTHOLE_SERVER.",
    });
  const { insecure, "server-fingerprint": pins } = values;
  if (pins.length > 1 && pins.length !== relays.length)
    throw new PortholeError(
      "usage",
      `--server-fingerprint is given ${pins.length} times for ${relays.length} servers: give one for all, or one for each in the same order`,
    );
  if (pins.length > 0 && insecure)
    throw new PortholeError("usage", "--insecure and --server-fingerprint contradict each other");
  return relays.map(({ address }, index) => {
    const fingerprint = pins.length === 1 ? pins[0] : pins[index];
    return { address, ...(insecure && { insecure }), ...(fingerprint !== undefined && { fingerprint }) };
  });
}

function lines(secret: Secret | undefined): string[] | undefined {
  return secret?.reveal().split("\n");
}

/** The fields that have a value. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
