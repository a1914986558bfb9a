import { join } from "node:path";
import { directoryUrlOf, isLetsEncrypt, type AcmeSettings } from "@porthole/common/acme";
import { quotaLimits, type QuotaLimits } from "../certificates/issuance-quota.ts";
import { PortholeError } from "@porthole/common/errors";
import type { EngineChoice } from "@porthole/common/link/quic";
import type { HostPort, OptionValues } from "@porthole/common/options";
import { canonicalHostName, isLoopback, splitPublicName } from "@porthole/common/protocol";
import { dataFolder } from "@porthole/common/util";
import type { AdmissionConfig, WebhookSettings } from "../admission/index.ts";
import type { ClusterConfig } from "../cluster/cluster.ts";
import { defaultMemoryMebibytes } from "../quic-worker/memory.ts";
import type { RelayLimits } from "../limits/index.ts";
import { adminConfig, type AdminConfig } from "./admin-config.ts";
import { clusterConfig } from "./cluster-config.ts";
import type { relayOptions } from "./options.ts";
import { webhookSettings } from "./webhook-config.ts";

/** A relay's settings, complete and checked. A port of 0 lets the system choose. */
export interface RelayConfig {
  readonly bindAddress: string;
  /** The address that each port is opened on. */
  readonly addresses: Readonly<Record<"api" | "public" | "alpn" | "http" | "quic", string>>;
  readonly apiPort: number;
  readonly publicPort: number;
  /** Undefined without a public name: no CA could ask. */
  readonly alpnPort: number | undefined;
  readonly httpPort: number | undefined;
  /** UDP; undefined for the number of the clients' TCP port. */
  readonly quicPort: number | undefined;
  /** Ports to advertise where a proxy forwards them. Undefined for the ports themselves. */
  readonly advertisedPorts: { readonly api: number | undefined; readonly public: number | undefined };
  /** Balancers whose connections begin with a PROXY header, as `ADDRESS/BITS`. */
  readonly proxyProtocolFrom: readonly string[];
  /** Takes visitors of names that are not ours. */
  readonly fallback: (HostPort & { readonly hasProxyHeader: boolean }) | undefined;
  /** Canonical; empty allows any, and offers `localhost`. */
  readonly suffixes: readonly string[];
  readonly tlsFiles: { readonly cert: string; readonly key: string } | undefined;
  /** Turns ACME for the relay's own name on. */
  readonly acme: (AcmeSettings & { readonly domain: string }) | undefined;
  /** Directory of the authority that clients shall order from; undefined for Let's Encrypt. */
  readonly certificateDirectory: string | undefined;
  /** How many certificates clients may order. */
  readonly quotas: QuotaLimits;
  /** Under which names clients may know the relay itself. */
  readonly ownNames: readonly string[];
  /** Whether anyone but this machine could connect. */
  readonly isReachable: boolean;
  readonly admission: AdmissionConfig;
  /** Whether QUIC is for those only who have come over HTTP/2 before. */
  readonly quicAdmission: "ticket" | "open";
  /** The QUIC engine. */
  readonly quicEngine: EngineChoice;
  /** Memory limit of the QUIC worker, in bytes. */
  readonly quicMemoryBytes: number;
  readonly stateDir: string;
  /** Processes that are this relay together. */
  readonly workers: number;
  /** Undefined for a relay that is alone. */
  readonly cluster: ClusterConfig | undefined;
  readonly limits: RelayLimits;
  /** Gets what happens at the relay. */
  readonly eventsWebhook: WebhookSettings | undefined;
  /** How many clients have figures of their own in the metrics. */
  readonly clientMetrics: number;
  /** Contact for reports about a client. */
  readonly abuseContact: string | undefined;
  /** The admin port. */
  readonly admin: AdminConfig | undefined;
}

/** The options that decide about each setting; none for what follows from another one. */
const optionsOf: Readonly<Record<keyof RelayConfig, readonly string[]>> = {
  bindAddress: ["bind-addr"],
  apiPort: ["api-port"],
  publicPort: ["pub-port"],
  alpnPort: ["alpn-port"],
  httpPort: ["http-port"],
  addresses: ["bind-addr", "api-port", "pub-port", "alpn-port", "http-port", "quic-port"],
  quicPort: ["quic-port"],
  advertisedPorts: ["public-port", "public-api-port"],
  proxyProtocolFrom: ["proxy-protocol-from"],
  fallback: ["fallback", "fallback-proxy-protocol"],
  suffixes: ["domain-suffix"],
  tlsFiles: ["tls-cert", "tls-key"],
  acme: [
    "acme-domain",
    "acme-directory",
    "acme-email",
    "acme-creds-path",
    "acme-staging",
    "acme-renew-days",
    "acme-eab-kid",
    "acme-eab-hmac",
  ],
  certificateDirectory: ["acme-directory"],
  quotas: ["new-names-per-week"],
  ownNames: [],
  isReachable: [],
  admission: ["authorized-keys", "auth-webhook", "auth-webhook-secret", "open"],
  quicAdmission: ["quic-admission"],
  quicEngine: ["quic-engine"],
  quicMemoryBytes: ["quic-memory"],
  stateDir: ["state-dir"],
  workers: ["workers"],
  cluster: [
    ...["peer-port", "peer", "peer-address"],
    ...["cluster", "cluster-name", "cluster-secret", "cluster-creds", "cluster-ca"],
  ],
  limits: [],
  eventsWebhook: ["events-webhook", "events-webhook-secret"],
  clientMetrics: ["client-metrics"],
  abuseContact: ["abuse-contact"],
  admin: ["admin-port", "admin-addr", "admin-host", "admin-token"],
};

/** Returns the names of the options that set these settings. */
export function optionsFor(settings: readonly string[]): string[] {
  return settings.flatMap((setting) => optionsOf[setting as keyof RelayConfig] ?? []);
}

const mebibyte = 1024 * 1024;

/** Throws `usage` for values that don't go together. */
export function relayConfig(values: OptionValues<typeof relayOptions>): RelayConfig {
  const suffixes = values["domain-suffix"].map(parseSuffix);
  const isPublic = values["acme-domain"] !== undefined || suffixes.some((suffix) => !isLoopback(suffix));
  const cert = values["tls-cert"];
  const key = values["tls-key"];
  if ((cert === undefined) !== (key === undefined))
    throw new PortholeError("usage", `--tls-${cert ? "cert" : "key"} needs --tls-${cert ? "key" : "cert"} with it`);
  const stateDir = values["state-dir"] ?? dataFolder("porthole-relay");
  const acme = acmeSettings(values, stateDir);
  if (acme && cert !== undefined)
    throw new PortholeError("usage", "--acme-domain and --tls-cert contradict each other");
  const keys = values["authorized-keys"];
  if (keys !== undefined && values.open)
    throw new PortholeError("usage", "--open and --authorized-keys contradict each other");
  const webhook = webhookSettings("auth-webhook", values["auth-webhook"], values["auth-webhook-secret"]);
  if (webhook && values.open) throw new PortholeError("usage", "--open and --auth-webhook contradict each other");
  const bindAddress = values["bind-addr"] ?? (isPublic ? "0.0.0.0" : "127.0.0.1");
  const addresses = addressesOf(values, bindAddress);
  const isReachable = isPublic || Object.values(addresses).some((address) => !isLoopback(address));
  const ownNames = [...(suffixes.length > 0 ? suffixes : ["localhost"]), ...(acme ? [acme.domain] : [])];
  return {
    bindAddress,
    isReachable,
    ownNames,
    addresses,
    apiPort: values["api-port"].port,
    publicPort: values["pub-port"].port,
    alpnPort: isPublic ? values["alpn-port"].port : undefined,
    httpPort: values["http-port"]?.port,
    quicPort: values["quic-port"]?.port,
    advertisedPorts: {
      api: values["public-api-port"] ?? values["quic-port"]?.port,
      public: values["public-port"],
    },
    proxyProtocolFrom: values["proxy-protocol-from"],
    fallback: fallbackOf(values, suffixes),
    suffixes,
    tlsFiles: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    acme,
    certificateDirectory: clientsDirectory(values),
    quotas: quotaLimits(values["new-names-per-week"]),
    admission: {
      open: values.open || (!isReachable && keys === undefined && !webhook),
      keysPath: keys,
      webhook,
      // Where anyone may connect, the first stranger could take all names.
      givesNames: !(isReachable && values.open),
      reservedNames: ownNames.flatMap((name) => splitPublicName(name, suffixes)?.label ?? []),
      stateDir,
    },
    quicAdmission: values["quic-admission"],
    quicEngine: values["quic-engine"],
    quicMemoryBytes: (values["quic-memory"] ?? defaultMemoryMebibytes()) * mebibyte,
    stateDir,
    workers: values.workers,
    cluster: clusterConfig(values, bindAddress),
    limits: relayLimits(values, isReachable),
    eventsWebhook: webhookSettings("events-webhook", values["events-webhook"], values["events-webhook-secret"]),
    clientMetrics: values["client-metrics"],
    abuseContact: values["abuse-contact"],
    admin: adminConfig(values),
  };
}

function addressesOf(values: OptionValues<typeof relayOptions>, bindAddress: string): RelayConfig["addresses"] {
  const api = values["api-port"].address ?? bindAddress;
  return {
    api,
    public: values["pub-port"].address ?? bindAddress,
    alpn: values["alpn-port"].address ?? bindAddress,
    http: values["http-port"]?.address ?? bindAddress,
    // Only TCP is forwarded by the proxy that QUIC's own port is for.
    quic: values["quic-port"] ? (values["quic-port"].address ?? bindAddress) : api,
  };
}

function fallbackOf(values: OptionValues<typeof relayOptions>, suffixes: readonly string[]): RelayConfig["fallback"] {
  const { fallback, "fallback-proxy-protocol": hasProxyHeader } = values;
  if (!fallback) {
    if (hasProxyHeader) throw new PortholeError("usage", "--fallback-proxy-protocol needs --fallback with it");
    return undefined;
  }
  if (suffixes.length === 0)
    throw new PortholeError("usage", "--fallback needs --domain-suffix: without one every name is a client's");
  return { ...fallback, hasProxyHeader };
}

function acmeSettings(
  values: OptionValues<typeof relayOptions>,
  stateDir: string,
): (AcmeSettings & { readonly domain: string }) | undefined {
  const domain = values["acme-domain"];
  if (domain === undefined) return undefined;
  const name = canonicalHostName(domain);
  if (name === undefined)
    throw new PortholeError("usage", `--acme-domain: ${JSON.stringify(domain)} is not a domain name`);
  const kid = values["acme-eab-kid"];
  const hmacKey = values["acme-eab-hmac"];
  if ((kid === undefined) !== (hmacKey === undefined))
    throw new PortholeError("usage", "--acme-eab-kid and --acme-eab-hmac-file belong together");
  return {
    domain: name,
    directoryUrl: directoryUrlOf(values["acme-directory"], values["acme-staging"]),
    email: values["acme-email"],
    accountsPath: values["acme-creds-path"] ?? join(stateDir, "server_acme_creds.json"),
    renewDays: values["acme-renew-days"],
    externalAccount: kid !== undefined && hmacKey !== undefined ? { kid, hmacKey } : undefined,
  };
}

/** Clients can't use an authority that wants an account bound to a customer: only the relay has that customer's key. */
function clientsDirectory(values: OptionValues<typeof relayOptions>): string | undefined {
  const url = directoryUrlOf(values["acme-directory"], values["acme-staging"]);
  return isLetsEncrypt(url) || values["acme-eab-kid"] !== undefined ? undefined : url;
}

/** Returns the limits. On loopback everybody comes from this machine: what limits one source would limit all. */
function relayLimits(values: OptionValues<typeof relayOptions>, isReachable: boolean): RelayLimits {
  return {
    visitorsPerAddress: values["visitors-per-address"] ?? (isReachable ? 50 : 0),
    visitorsPerName: values["visitors-per-name"] ?? (isReachable ? 500 : 0),
    maxVisitors: values["max-visitors"],
    streamsPerAddress: values["streams-per-address"] ?? (isReachable ? 500 : 0),
    streamsPerClient: values["streams-per-client"],
    maxPendingHellos: values["max-pending-hellos"],
    pendingClients: values["pending-clients"] ?? {
      start: isReachable ? 10 : 100,
      percent: isReachable ? 30 : 0,
      full: 100,
    },
    maxPenaltyMs: values["max-penalty"] ?? (isReachable ? 600_000 : 0),
    linksPerAddress: values["links-per-address"] ?? (isReachable ? 1_000 : 0),
    linksPerClient: values["links-per-client"],
    maxLinks: values["max-links"],
    bytesPerMonth: values["bytes-per-month"],
    bandwidth: values.bandwidth,
    startupGraceMs: values["startup-grace"] ?? (isReachable ? 15_000 : 0),
    drainMs: values.drain ?? (isReachable ? 30_000 : 0),
  };
}

function parseSuffix(text: string): string {
  const suffix = canonicalHostName(text.replace(/^\*?\./, ""));
  if (suffix === undefined)
    throw new PortholeError("usage", `--domain-suffix: ${JSON.stringify(text)} is not a domain name`, {
      hint: "Write it as example.com.",
    });
  return suffix;
}
