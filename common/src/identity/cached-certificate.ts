import { X509Certificate } from "node:crypto";
import { PortholeError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { readFileIfExists, writeFileAtomic } from "../util/state-file.ts";
import { createCertificate } from "./certificate.ts";
import type { IdentityKey } from "./key.ts";
import { readPeer } from "./peer.ts";

const dayMs = 24 * 3_600_000;
/** A clock that is wrong by a day must not make a certificate look like one from the future. */
const backdatedMs = 2 * dayMs;

export interface CachedCertificateOptions {
  /** Path of the PEM file that keeps it. Without one it is made again for each start. */
  readonly path?: string | undefined;
  readonly key: IdentityKey;
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly extension?: Buffer | undefined;
  /** A cached one is made again when less than a tenth of this is left. */
  readonly lifetimeMs: number;
  readonly now: number;
  readonly log: Logger;
}

/**
 * A self-signed certificate for the key and names: the cached one as long as it fits, so that pins stay valid, otherwise a
 * new one. A cache that can't be read or written is said in the log and costs nothing else.
 */
export async function cachedCertificate(options: CachedCertificateOptions): Promise<string> {
  const { path, now, lifetimeMs, extension, log } = options;
  if (path !== undefined) {
    try {
      const cached = await readFileIfExists(path);
      if (cached && fits(cached.toString(), options)) return cached.toString();
    } catch (reason) {
      log.warn({ path }, PortholeError.from(reason).message);
    }
  }
  const { pem } = createCertificate({
    key: options.key,
    dnsNames: options.dnsNames,
    ...(options.ipAddresses ? { ipAddresses: options.ipAddresses } : {}),
    ...(extension ? { extension } : {}),
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + lifetimeMs),
  });
  if (path !== undefined) {
    try {
      await writeFileAtomic(path, pem);
    } catch (reason) {
      log.warn({ path }, PortholeError.from(reason).message);
    }
  }
  return pem;
}

function fits(pem: string, options: CachedCertificateOptions): boolean {
  const { key, dnsNames, ipAddresses = [], extension, now, lifetimeMs } = options;
  try {
    const certificate = new X509Certificate(pem);
    const peer = readPeer(certificate.raw);
    const left = Date.parse(certificate.validTo) - now;
    return (
      peer.fingerprint === key.fingerprint &&
      left > lifetimeMs / 10 &&
      dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
      ipAddresses.every((address) => certificate.checkIP(address) !== undefined) &&
      (peer.extension ?? Buffer.alloc(0)).equals(extension ?? Buffer.alloc(0))
    );
  } catch {
    // Damaged: it is only a cache.
    return false;
  }
}
