import { createKeeper, type AcmeSettings, type CertificateKeeper, type CertificateState } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { Endpoint } from "./endpoint.ts";
import { isPublicName } from "./is-public-name.ts";

/** What visitors of one name get to see. */
export type CertificateStatus =
  /** No CA is asked: the name is not a public one, or this endpoint is not meant to have a certificate. */
  { readonly status: "self-signed" } | CertificateState;

export interface NameCertificate {
  readonly hostname: string;
  readonly now: CertificateStatus;
  /** SHA-256 of the certificate that visitors see at present, hex with colons. */
  readonly sha256: string;
  /** How many more new names the relay would have let us order for when it gave us the last quota. */
  readonly quotaLeft?: number;
}

/** How an endpoint gets certificates. */
export interface EndpointAcme extends AcmeSettings {
  /** Where a name's certificate is kept. */
  certificatePath(hostname: string): string;
  /** Names that no public CA knows, too: there is a private one. */
  readonly anyName: boolean;
}

export interface EndpointCertificatesOptions {
  readonly endpoint: Endpoint;
  readonly acme: EndpointAcme | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asks a relay that serves the name. */
  readonly requestIssuance: (hostname: string, signal: AbortSignal) => Promise<number | undefined>;
  readonly onChange: () => void;
}

/** The certificates of one endpoint's names: one for each, whatever the number of relays that serve it. */
export class EndpointCertificates {
  readonly #options: EndpointCertificatesOptions;
  readonly #signal: AbortSignal;
  readonly #keepers = new Map<
    string,
    { readonly keeper: CertificateKeeper | undefined; readonly done: Promise<void> }
  >();

  readonly #quotaLeft = new Map<string, number>();

  constructor(options: EndpointCertificatesOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** A relay serves the endpoint under these names: from now on visitors can come, and validators too. */
  keep(hostnames: readonly string[]): void {
    for (const hostname of hostnames) if (!this.#keepers.has(hostname)) this.#start(hostname);
  }

  status(): readonly NameCertificate[] {
    return [...this.#keepers].map(([hostname, { keeper }]) => {
      const quotaLeft = this.#quotaLeft.get(hostname);
      return {
        hostname,
        now: keeper?.state ?? { status: "self-signed" },
        sha256: this.#options.endpoint.certificateDigest(hostname),
        ...(quotaLeft === undefined ? {} : { quotaLeft }),
      };
    });
  }

  /** Resolves when all keepers have ended, after the signal. */
  async done(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map(({ done }) => done));
  }

  #start(hostname: string): void {
    const { acme, endpoint, clock, log, requestIssuance, onChange } = this.#options;
    if (!acme || !(acme.anyName || isPublicName(hostname))) {
      this.#keepers.set(hostname, { keeper: undefined, done: Promise.resolve() });
      return;
    }
    const keeper = createKeeper(acme, {
      name: hostname,
      key: endpoint.key,
      path: acme.certificatePath(hostname),
      challenges: endpoint.challenges,
      clock,
      log,
      selfTest: "required",
      quota: async (_hostname, signal) => {
        const left = await requestIssuance(hostname, signal);
        if (left !== undefined) this.#quotaLeft.set(hostname, left);
      },
      onCertificate: ({ chainPem }) => endpoint.useCertificate(hostname, chainPem),
      onState: onChange,
    });
    const done = keeper.run(this.#signal).catch((reason: unknown) => {
      log.error({ hostname }, `The certificate is not kept any more: ${PortholeError.from(reason).message}`);
    });
    this.#keepers.set(hostname, { keeper, done });
  }
}
