import { join } from "node:path";
import { directoryUrlOf, type AcmeNetwork } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { GatewayOptions, LocalService } from "../gateway/index.ts";
import { loadOrCreateKey, parseKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { isLoopback } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import type { EndpointAcme } from "./endpoint-certificates.ts";
import { Endpoint } from "./endpoint.ts";
import { ExternalKey } from "./external-key.ts";
import type { NameKey } from "./link-identity.ts";
import type { ServerAddress } from "./relay-dialer.ts";
import type { TransportPolicy } from "./transport-choice.ts";
import { fileKnownRelays, type KnownRelays, type TrustPolicy } from "./trust.ts";
import type { TunnelOptions } from "./tunnel.ts";

/** A private key: its PEM text, the file that it is in (made if missing), or one that is elsewhere. */
export type KeySource =
  { readonly path: string } | { readonly pem: string } | { readonly external: () => Promise<ExternalKey> };

export interface ServerSettings extends ServerAddress {
  /** A CA's certificate, or first use on loopback, when absent. */
  readonly trust?: TrustPolicy | undefined;
}

export interface EndpointSettings {
  readonly role: Endpoint["role"];
  readonly key: KeySource;
  readonly local: LocalService;
  readonly gateway?: Partial<GatewayOptions> | undefined;
  /** The user's bytes in the certificate's custom extension. */
  readonly extension?: Buffer | undefined;
  /** Where the self-signed certificate is kept; in the state folder, under its client id, when absent. */
  readonly certificatePath?: string | undefined;
}

export interface AcmeChoice {
  /** Let's Encrypt when absent. */
  readonly directory?: string | undefined;
  readonly staging: boolean;
  readonly email?: string | undefined;
  /** Where accounts are kept; in the state folder when absent. */
  readonly accountsPath?: string | undefined;
  /** Where the first name's certificate is kept; in the state folder when absent. */
  readonly certificatePath?: string | undefined;
}

/** What a person decides about a tunnel, parsed. */
export interface TunnelSettings {
  readonly stateDir: string;
  readonly servers: readonly ServerSettings[];
  readonly endpoints: readonly EndpointSettings[];
  readonly transport: TransportPolicy;
  readonly poolSize: number;
  readonly suffix?: string | undefined;
  /** Friendly name that the primary endpoint wants. */
  readonly name?: string | undefined;
  /** The key that relays know the person by, and that vouches for the endpoints' own; the primary endpoint's when absent. */
  readonly owner?: KeySource | undefined;
  /** Undefined: no certificate authority is asked. */
  readonly acme: AcmeChoice | undefined;
}

export interface PrepareContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** Shared by the tunnels of one process; read from the state folder when absent. */
  readonly knownRelays?: KnownRelays;
  readonly acmeNetwork?: AcmeNetwork | undefined;
}

export type PreparedTunnel = Pick<
  TunnelOptions,
  | "servers"
  | "endpoints"
  | "owner"
  | "trustFor"
  | "knownRelays"
  | "transport"
  | "poolSize"
  | "suffix"
  | "name"
  | "acmeFor"
>;

/** Reads keys and state. Throws `usage`, `state` or `key`. */
export async function prepareTunnel(settings: TunnelSettings, context: PrepareContext): Promise<PreparedTunnel> {
  const { stateDir, servers, transport, poolSize, suffix, name } = settings;
  const trusts = new Map(servers.map((server) => [server as ServerAddress, server.trust]));
  const acme = settings.acme && endpointAcme(settings.acme, settings, context.acmeNetwork);
  const endpoints: Endpoint[] = [];
  for (const endpoint of settings.endpoints) endpoints.push(await createEndpoint(endpoint, stateDir, context));
  if (new Set(endpoints.map(({ key }) => key.clientId)).size < endpoints.length)
    throw new PortholeError("usage", "The primary and the secondary endpoint have the same key", {
      hint: "Each endpoint's name is made from its key: give the secondary one another key.",
    });
  return {
    servers,
    trustFor: (server) => trusts.get(server) ?? defaultTrust(server),
    // The secondary endpoint is the one that is pinned: it stays self-signed.
    acmeFor: (endpoint) => (endpoint.role === "primary" ? acme : undefined),
    endpoints,
    owner: settings.owner ? await readKey(settings.owner, context.log) : endpoints[0]?.key,
    knownRelays: context.knownRelays ?? (await openKnownRelays(stateDir)),
    transport,
    poolSize,
    suffix,
    name,
  };
}

/** The relays that programs with this state folder have met. */
export function openKnownRelays(stateDir: string): Promise<KnownRelays> {
  return fileKnownRelays(join(stateDir, "known-relays.json"));
}

export async function readKey(source: KeySource, log: Logger): Promise<NameKey> {
  if ("external" in source) return source.external();
  return "pem" in source ? parseKey(source.pem, "the PEM text") : loadOrCreateKey(source.path, { logger: log });
}

/** Returns the trust for a relay without a pin. On loopback nobody is in between. */
export function defaultTrust(server: ServerAddress): TrustPolicy {
  return isLoopback(server.host) ? { kind: "first-use" } : { kind: "ca" };
}

async function createEndpoint(
  settings: EndpointSettings,
  stateDir: string,
  context: PrepareContext,
): Promise<Endpoint> {
  const { role, local, gateway, extension } = settings;
  const { clock, log } = context;
  const key = await readKey(settings.key, log);
  if (key instanceof ExternalKey && extension)
    throw new PortholeError("usage", "A key that is elsewhere can't have a certificate extension", {
      hint: "The extension is in the certificate that the key itself signs. Leave it out, or keep the key here.",
    });
  const certificatePath = settings.certificatePath ?? join(stateDir, "self-signed", `${key.clientId}.pem`);
  return Endpoint.create({ role, key, local, gateway, extension, certificatePath, clock, log });
}

function endpointAcme(
  choice: AcmeChoice,
  { stateDir, servers }: TunnelSettings,
  network: AcmeNetwork | undefined,
): EndpointAcme {
  const paths = new Map<string, string>();
  const chosen = directoryUrlOf(choice.directory, choice.staging);
  const ofRelays = new Map(servers.map(({ text, certificateDirectory }) => [text, certificateDirectory]));
  return {
    authorityFor(relay) {
      const isForAll = choice.directory !== undefined || choice.staging;
      const ofRelay = isForAll ? undefined : ofRelays.get(relay);
      return { directoryUrl: ofRelay ?? chosen, anyName: (choice.directory ?? ofRelay) !== undefined, isForAll };
    },
    email: choice.email,
    accountsPath: choice.accountsPath ?? join(stateDir, "acme_creds.json"),
    network,
    certificatePath(hostname) {
      // Relays under different suffixes give one endpoint several names; the setting is for the first.
      const first = paths.size === 0 ? choice.certificatePath : undefined;
      const path = paths.get(hostname) ?? first ?? join(stateDir, "certificates", `${hostname}.pem`);
      paths.set(hostname, path);
      return path;
    },
  };
}
