import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import tls from "node:tls";
import {
  Challenges,
  createKeeper,
  type CertificateState,
  type CertificateStore,
  type ChallengeAnswer,
} from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import { cachedCertificate, fingerprint, loadOrCreateKey, type IdentityKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { stateError, type Clock } from "@porthole/common/util";
import type { RelayConfig } from "../config/config.ts";
import { watchFiles } from "../config/watch-files.ts";

const selfSignedLifetimeMs = 5 * 365 * 24 * 3_600_000;

/** The certificate that the API port presents. */
export interface RelayCertificate {
  /** PEM, leaf first. */
  readonly cert: string;
  readonly key: string;
  /** The fingerprint of its key: what a client pins. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** The source of the API port's certificate, which keeps it fresh. */
export interface CertificateSource {
  readonly first: RelayCertificate;
  /** The challenge's certificate for `challengeName`, while an order runs, here or at another relay. */
  readonly challenges: Pick<Challenges, "find">;
  readonly challengeName: string | undefined;
  /** Rereads its files, if it has any. Never rejects. */
  reread(): Promise<void>;
  /** Works until the signal aborts; begins when validators could get in. */
  keep(signal: AbortSignal): Promise<void>;
}

export interface CertificateContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCertificate: (certificate: RelayCertificate) => void;
  /** No new one could be had or read; the old one stays in service. */
  readonly onFailure: (reason: PortholeError) => void;
  /** For a relay that is one of several: one of them orders, and all answer. */
  readonly shared?: SharedAcme | undefined;
}

/** What relays with one certificate share. */
export interface SharedAcme {
  readonly challenges: ChallengeAnswer & Pick<Challenges, "find">;
  /** Undefined for the file in the state folder. */
  readonly store: CertificateStore | undefined;
  /** Calls when another relay has changed the store, until the signal aborts. */
  watch(onChange: () => void, signal: AbortSignal): void;
}

/** The files that the configuration names, a CA's by ACME, else a self-signed one that stays the same between runs. */
export async function openCertificate(config: RelayConfig, context: CertificateContext): Promise<CertificateSource> {
  if (config.tlsFiles) return fromFiles(config.tlsFiles, context);
  const key = await loadOrCreateKey(join(config.stateDir, "relay-key.pem"), { logger: context.log });
  const selfSigned = await selfSignedCertificate(config, key, context);
  return config.acme ? byAcme(config.acme, config.stateDir, selfSigned, key, context) : fixed(selfSigned);
}

function fixed(first: RelayCertificate): CertificateSource {
  return {
    first,
    challenges: new Challenges(),
    challengeName: undefined,
    reread: async () => {},
    keep: async () => {},
  };
}

async function fromFiles(
  files: { readonly cert: string; readonly key: string },
  context: CertificateContext,
): Promise<CertificateSource> {
  const { log, onCertificate, onFailure } = context;
  const first = await readFiles(files);
  let present = first;
  async function reread(isChanged = true): Promise<void> {
    try {
      const now = await readFiles(files);
      if (!isChanged && now.cert === present.cert && now.key === present.key) return;
      present = now;
      onCertificate(now);
      log.info({ path: files.cert }, "Reread the certificate");
    } catch (reason) {
      const error = PortholeError.from(reason);
      const { message, hint } = error;
      onFailure(error);
      log.error({ hint }, `${message}; the old certificate stays in service`);
    }
  }
  return {
    ...fixed(first),
    reread: () => reread(),
    async keep(signal) {
      const watching = watchFiles([files.cert, files.key], signal, () => reread());
      // They may have been changed since they were read: a relay takes a moment to start.
      await reread(false);
      await watching;
    },
  };
}

async function readFiles(files: { readonly cert: string; readonly key: string }): Promise<RelayCertificate> {
  const [cert, key] = await Promise.all([readText(files.cert), readText(files.key)]);
  try {
    tls.createSecureContext({ cert, key });
    return { cert, key, fingerprint: pin(cert), expiresAt: expiryOf(cert) };
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

async function byAcme(
  acme: NonNullable<RelayConfig["acme"]>,
  stateDir: string,
  selfSigned: RelayCertificate,
  key: IdentityKey,
  { clock, log, onCertificate, onFailure, shared }: CertificateContext,
): Promise<CertificateSource> {
  const challenges = shared?.challenges ?? new Challenges();
  const path = join(stateDir, "relay-acme.pem");
  let previous: CertificateState["status"] | undefined;
  const keeper = createKeeper(acme, {
    name: acme.domain,
    key,
    store: shared?.store ?? path,
    challenges,
    clock,
    log,
    selfTest: "advisory",
    onCertificate: ({ chainPem }) => onCertificate(ofKey(key, chainPem)),
    onState(state) {
      if (state.status === "failed" && previous !== "failed") onFailure(state.error);
      if (state.status !== previous) log.info({ name: acme.domain, status: state.status }, "Certificate of the relay");
      previous = state.status;
    },
  });
  const reread = (): Promise<void> =>
    keeper.reread().catch((reason: unknown) => log.warn({ name: acme.domain }, PortholeError.from(reason).message));
  return {
    ...{ ...fixed(selfSigned), challenges, challengeName: acme.domain },
    async keep(signal) {
      shared?.watch(() => void reread(), signal);
      const watching = shared && !shared.store ? watchFiles([path], signal, reread) : undefined;
      await keeper.run(signal);
      await watching;
    },
  };
}

async function selfSignedCertificate(
  config: RelayConfig,
  key: IdentityKey,
  { clock, log }: CertificateContext,
): Promise<RelayCertificate> {
  const cert = await cachedCertificate({
    path: join(config.stateDir, "relay-cert.pem"),
    key,
    dnsNames: [...config.suffixes, "localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    lifetimeMs: selfSignedLifetimeMs,
    now: clock.now(),
    log,
  });
  return ofKey(key, cert);
}

function ofKey(key: IdentityKey, cert: string): RelayCertificate {
  return { cert, key: key.pem, fingerprint: key.fingerprint, expiresAt: expiryOf(cert) };
}

function expiryOf(cert: string): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

function pin(cert: string): string {
  return fingerprint(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" }));
}
