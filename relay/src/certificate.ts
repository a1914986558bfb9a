import { readFile } from "node:fs/promises";
import { join } from "node:path";
import tls from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { cachedCertificate, fingerprint, loadOrCreateKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { stateError } from "@porthole/common/util";
import { X509Certificate } from "node:crypto";
import type { RelayConfig } from "./config.ts";

const selfSignedLifetimeMs = 5 * 365 * 24 * 3_600_000;

/** What the API port presents. */
export interface RelayCertificate {
  /** PEM, leaf first. */
  readonly cert: string;
  readonly key: string;
  /** Of its key: what a client pins. */
  readonly fingerprint: string;
}

/** The certificate that the configuration names, else a self-signed one that stays the same between runs. */
export async function loadCertificate(config: RelayConfig, log: Logger): Promise<RelayCertificate> {
  return config.tlsFiles ? fromFiles(config.tlsFiles) : selfSigned(config, log);
}

async function fromFiles(files: { readonly cert: string; readonly key: string }): Promise<RelayCertificate> {
  const [cert, key] = await Promise.all([readText(files.cert), readText(files.key)]);
  try {
    tls.createSecureContext({ cert, key });
    return { cert, key, fingerprint: pin(cert) };
  } catch (cause) {
    throw new PortholeError("state", `${files.cert} and ${files.key} are not a certificate and its key`, {
      cause,
      hint: "Both must be PEM; the certificate file begins with the relay's own certificate, then its issuers.",
    });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (reason) {
    throw stateError("read", path, reason);
  }
}

async function selfSigned(config: RelayConfig, log: Logger): Promise<RelayCertificate> {
  const key = await loadOrCreateKey(join(config.stateDir, "relay-key.pem"), { logger: log });
  const cert = await cachedCertificate({
    path: join(config.stateDir, "relay-cert.pem"),
    key,
    dnsNames: [...config.suffixes, "localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    lifetimeMs: selfSignedLifetimeMs,
    now: Date.now(),
    log,
  });
  return { cert, key: key.pem, fingerprint: key.fingerprint };
}

function pin(cert: string): string {
  return fingerprint(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" }));
}
