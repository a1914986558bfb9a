import { createKeeper, type AcmeSettings, type CertificateKeeper, type CertificateState } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { Endpoint } from "./endpoint.ts";
import { isPublicName } from "./is-public-name.ts";
import { tlsKey } from "./link-identity.ts";

/** What visitors of one name get to see. */
export type CertificateStatus =
  /** No CA is asked: the name is not a public one, or this endpoint is not meant to have a certificate. */
  { readonly status: "self-signed" } | CertificateState;

export type NameCertificate = CertificateStatus & {
  readonly hostname: string;
  /** SHA-256 of the certificate that visitors see at present, hex with colons. */
  readonly sha256: string;
  /** How many more new names the relay would have let us order for when it gave us the last quota. */
  readonly quotaLeft?: number;
};

/** A certificate authority. */
export interface ChosenAuthority {
  readonly directoryUrl: string;
  /** Names that no public CA knows, too: it is a private one. */
  readonly anyName: boolean;
  /** The user has chosen it for all relays. */
  readonly isForAll: boolean;
}

/** How an endpoint gets certificates. */
export interface EndpointAcme extends Omit<AcmeSettings, "directoryUrl"> {
  /** Whom to ask for the names that a relay, by its address, gives. */
  authorityFor(relay: string): ChosenAuthority;
  /** Where a name's certificate is kept. */
  certificatePath(hostname: string): string;
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
  readonly #keepers = new Map<string, { readonly keeper: CertificateKeeper | undefined; stop(): void }>();
  /** The names that each relay serves. */
  readonly #hostnames = new Map<string, readonly string[]>();

  /** Keepers that have not ended. */
  readonly #running = new Set<Promise<void>>();
  readonly #quotaLeft = new Map<string, number>();

  constructor(options: EndpointCertificatesOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The relay serves the endpoint under these names, and no more under its earlier ones: visitors can come, and validators too. */
  keep(relay: string, hostnames: readonly string[]): void {
    this.#hostnames.set(relay, hostnames);
    const wanted = new Map<string, string>();
    for (const [by, names] of this.#hostnames) for (const name of names) if (!wanted.has(name)) wanted.set(name, by);
    for (const [hostname, kept] of this.#keepers) {
      if (wanted.has(hostname)) continue;
      kept.stop();
      this.#keepers.delete(hostname);
    }
    for (const [hostname, by] of wanted) if (!this.#keepers.has(hostname)) this.#start(hostname, by);
  }

  status(): readonly NameCertificate[] {
    return [...this.#keepers].map(([hostname, { keeper }]) => {
      const quotaLeft = this.#quotaLeft.get(hostname);
      return {
        ...(keeper?.state ?? { status: "self-signed" }),
        hostname,
        sha256: this.#options.endpoint.certificateDigest(hostname),
        ...(quotaLeft === undefined ? {} : { quotaLeft }),
      };
    });
  }

  /** Resolves when all keepers have ended, after the signal. */
  async done(): Promise<void> {
    await Promise.all(this.#running);
  }

  #start(hostname: string, relay: string): void {
    const { acme, endpoint, clock, log, requestIssuance, onChange } = this.#options;
    const authority = acme?.authorityFor(relay);
    if (!acme || !authority || !(authority.anyName || isPublicName(hostname))) {
      this.#keepers.set(hostname, { keeper: undefined, stop: () => {} });
      return;
    }
    const keeper = createKeeper(
      { ...acme, directoryUrl: authority.directoryUrl },
      {
        name: hostname,
        key: tlsKey(endpoint.key),
        store: acme.certificatePath(hostname),
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
      },
    );
    const controller = new AbortController();
    const stop = (): void => controller.abort(new PortholeError("aborted", `No relay serves ${hostname} any more`));
    const run = keeper.run(AbortSignal.any([this.#signal, controller.signal]));
    const done = run.catch((reason: unknown) => {
      log.error({ hostname }, `The certificate is not kept any more: ${PortholeError.from(reason).message}`);
    });
    this.#running.add(done);
    void done.then(() => this.#running.delete(done));
    this.#keepers.set(hostname, { keeper, stop });
  }
}
