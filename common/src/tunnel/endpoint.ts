import tls from "node:tls";
import { createCertificate, type IdentityKey } from "../identity/index.ts";
import type { LocalService } from "./local-service.ts";

/** Longer than any client runs without a restart; browsers warn about a self-signed certificate whatever it says. */
const lifetimeMs = 365 * 24 * 3_600_000;
/** A clock that is wrong by a day must not make the certificate look like one from the future. */
const backdatedMs = 48 * 3_600_000;

export interface EndpointOptions {
  readonly role: "primary" | "secondary";
  readonly key: IdentityKey;
  readonly local: LocalService;
  /** The user's bytes in the certificate's custom extension. */
  readonly extension?: Buffer;
}

/** An identity, its certificates, and the local service behind it. */
export class Endpoint {
  readonly role: "primary" | "secondary";
  readonly key: IdentityKey;
  readonly local: LocalService;
  /** Presented to relays; PEM. */
  readonly linkCertificate: string;
  readonly #extension: Buffer | undefined;
  readonly #hostnames = new Set<string>();
  #secureContext: tls.SecureContext;

  constructor(options: EndpointOptions) {
    this.role = options.role;
    this.key = options.key;
    this.local = options.local;
    this.#extension = options.extension;
    this.linkCertificate = this.#certificate([this.key.clientId]);
    this.#secureContext = this.#context(this.linkCertificate);
  }

  /** What visitors see. */
  get secureContext(): tls.SecureContext {
    return this.#secureContext;
  }

  /** Public names under which relays serve this endpoint; the certificate covers all of them. */
  serveNames(hostnames: readonly string[]): void {
    const known = this.#hostnames.size;
    for (const hostname of hostnames) this.#hostnames.add(hostname);
    if (this.#hostnames.size > known) this.#secureContext = this.#context(this.#certificate([...this.#hostnames]));
  }

  #certificate(dnsNames: readonly string[]): string {
    const now = Date.now();
    return createCertificate({
      key: this.key,
      dnsNames,
      notBefore: new Date(now - backdatedMs),
      notAfter: new Date(now + lifetimeMs),
      ...(this.#extension ? { extension: this.#extension } : {}),
    }).pem;
  }

  #context(cert: string): tls.SecureContext {
    return tls.createSecureContext({ cert, key: this.key.pem, minVersion: "TLSv1.2" });
  }
}
