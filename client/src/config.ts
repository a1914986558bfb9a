import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { formatHostPort, type OptionValues } from "@porthole/common/options";
import { systemClock, type Secret } from "@porthole/common/util";
import type { LocalService } from "@porthole/tunnel/gateway";
import type { AccessSpec, EndpointSpec, RelaySpec, TunnelSpec } from "@porthole/tunnel/rpc";
import type { clientOptions } from "./options.ts";
import { mainTunnel } from "./running-client.ts";

export type ClientValues = OptionValues<typeof clientOptions>;

/** The tunnel that the options describe. Checks how they go together; `joined` relays are used when none is named. Throws `usage`. */
export function tunnelSpec(values: ClientValues, stateDir: string, joined: readonly RelaySpec[] = []): TunnelSpec {
  if (values["force-h2"] && values.transport === "quic")
    throw new PortholeError("usage", "--force-h2 and --transport quic contradict each other");
  checkModes(values);
  const access = accessSpec(values);
  const suffix = values["domain-suffix"];
  return {
    id: mainTunnel,
    relays: relaySpecs(values, joined),
    ...endpointSpecs(values, stateDir),
    transport: values["force-h2"] ? "h2" : values.transport,
    poolSize: values["pool-size"],
    ...(suffix !== undefined && { suffix }),
    ...(values.name !== undefined && { name: values.name }),
    mode: values.mode,
    headers: values.headers,
    routes: values.route.map(({ path, service }) => ({ path, local: service.text })),
    localProxyProtocol: values["local-proxy-protocol"],
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

function endpointSpecs(values: ClientValues, stateDir: string): Pick<TunnelSpec, "primary" | "secondary"> {
  const primary = endpointSpec({
    path: values["primary-key"] ?? join(stateDir, "primary-key.pem"),
    local: values.local,
    extension: values["primary-cert-extension-hex"],
    certificatePath: join(stateDir, "primary-self-signed.pem"),
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
    local: secondaryLocal ?? values.local,
    extension,
    certificatePath: join(stateDir, "secondary-self-signed.pem"),
  });
  return { primary, secondary };
}

interface EndpointValues {
  readonly path: string;
  readonly local: LocalService;
  readonly extension: Buffer | undefined;
  readonly certificatePath: string;
}

function endpointSpec({ path, local, extension, certificatePath }: EndpointValues): EndpointSpec {
  const extensionHex = extension && { extensionHex: extension.toString("hex") };
  return { identity: { path }, local: local.text, certificatePath, ...extensionHex };
}

function checkModes(values: ClientValues): void {
  const { mode, route: routes, local, "secondary-local": secondary } = values;
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
