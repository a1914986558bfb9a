import { constants, X509Certificate } from "node:crypto";
import tls from "node:tls";
import { Challenges } from "@porthole/common/acme";
import { Gateway, type GatewayOptions, type LocalService } from "../gateway/index.ts";
import { cachedCertificate } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { tlsKey, type NameKey } from "./link-identity.ts";

/** Longer than any client runs without a restart; browsers warn about a self-signed certificate whatever it says. */
const lifetimeMs = 365 * 24 * 3_600_000;

export interface EndpointOptions {
  readonly role: "primary" | "secondary";
  readonly key: NameKey;
  readonly local: LocalService;
  /** How it treats visitors; what is left out is as `defaultGatewayOptions` says. */
  readonly gateway?: Partial<GatewayOptions> | undefined;
  /** The user's bytes in the certificate's custom extension. */
  readonly extension?: Buffer | undefined;
  /** Where the self-signed certificate is kept, so that it stays the same between runs. Not kept when absent. */
  readonly certificatePath?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An identity, its certificates, and the local service behind it. */
export class Endpoint {
  readonly role: "primary" | "secondary";
  readonly key: NameKey;
  readonly gateway: Gateway;
  /** Presented to relays; PEM. */
  readonly linkCertificate: string;
  /** Challenges for the CA's validators, while an order runs. */
  readonly challenges = new Challenges();
  readonly #trusted = new Map<string, ShownCertificate>();
  readonly #options: EndpointOptions;
  /** Host names by relay. */
  readonly #hostnames = new Map<string, readonly string[]>();
  /** All of them: every request asks. */
  #ours: ReadonlySet<string> = new Set();
  #selfSigned: ShownCertificate;
  #update: Promise<void> = Promise.resolve();

  private constructor(options: EndpointOptions, linkCertificate: string) {
    this.role = options.role;
    this.key = options.key;
    this.gateway = new Gateway({
      local: options.local,
      options: options.gateway,
      isOurName: (hostname) => this.#ours.has(hostname),
      clock: options.clock,
      log: options.log,
    });
    this.linkCertificate = linkCertificate;
    this.#options = options;
    this.#selfSigned = this.#shown(linkCertificate);
  }

  static async create(options: EndpointOptions): Promise<Endpoint> {
    return new Endpoint(options, await selfSigned(options, [options.key.clientId]));
  }

  /** Whether its certificates carry bytes of the user's. */
  get hasExtension(): boolean {
    return this.#options.extension !== undefined;
  }

  get local(): LocalService {
    return this.gateway.local;
  }

  /** What visitors of this name see: a CA's certificate, or the self-signed one until there is one. */
  contextFor(hostname: string | undefined): tls.SecureContext {
    return this.#shownTo(hostname).context;
  }

  /** SHA-256 of the certificate that visitors of this name see, as browsers show it: hex with colons. */
  certificateDigest(hostname: string): string {
    return this.#shownTo(hostname).digest;
  }

  /** For connections from now on; those that are there continue with what they have. */
  useCertificate(hostname: string, chainPem: string): void {
    this.#trusted.set(hostname, this.#shown(chainPem));
  }

  /**
   * The public names under which a relay serves this endpoint, in place of its earlier ones. Once resolved, the certificate covers the
   * names of all relays.
   */
  serveNames(relay: string, hostnames: readonly string[]): Promise<void> {
    this.#update = this.#update
      .catch(() => {})
      .then(async () => {
        const before = this.#names();
        this.#hostnames.set(relay, hostnames);
        this.#ours = new Set([...this.#hostnames.values()].flat());
        const names = this.#names();
        if (names.join() === before.join()) return;
        this.#selfSigned = this.#shown(await selfSigned(this.#options, names, this.#options.certificatePath));
      });
    return this.#update;
  }

  #names(): string[] {
    return [...this.#ours].toSorted();
  }

  #shownTo(hostname: string | undefined): ShownCertificate {
    return (hostname === undefined ? undefined : this.#trusted.get(hostname)) ?? this.#selfSigned;
  }

  #shown(cert: string): ShownCertificate {
    return {
      context: tls.createSecureContext({
        ...{ cert, key: tlsKey(this.key).pem, minVersion: "TLSv1.2" },
        // In TLS 1.2 each costs us a signature, and a visitor could ask for thousands on one connection.
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      }),
      digest: new X509Certificate(cert).fingerprint256,
    };
  }
}

interface ShownCertificate {
  readonly context: tls.SecureContext;
  readonly digest: string;
}

function selfSigned(options: EndpointOptions, dnsNames: readonly string[], path?: string): Promise<string> {
  const { extension, log, clock } = options;
  const key = tlsKey(options.key);
  return cachedCertificate({ path, key, dnsNames, extension, lifetimeMs, now: clock.now(), log });
}
