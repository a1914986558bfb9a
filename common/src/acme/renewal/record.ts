import { isErrorCode, PortholeError } from "../../errors.ts";
import { Secret } from "../../util/index.ts";
import type { RenewalWindow } from "../order/ari.ts";
import { parseChain, type Chain } from "../order/chain.ts";
import { noFailures, type RetryState } from "./retry.ts";

/** All that is kept about the certificate for one name. */
export interface CertificateRecord {
  readonly name: string;
  /** The authority that the chain is from. Absent for a chain that somebody else put there. */
  readonly directoryUrl?: string;
  readonly chain?: Chain;
  /** PKCS#8 of the chain's key, where it is not an identity that is kept elsewhere. */
  readonly keyPem?: Secret;
  /** A number from 0 to below 1; see renewalTime. */
  readonly jitter: number;
  readonly window?: RenewalWindow;
  /** When to ask for the window again. */
  readonly checkWindowAt?: number;
  readonly retry: RetryState;
}

const title = "# Porthole: a certificate, and what is known about renewing it. Written by the program.";
const maxTextLength = 2_000;

/** PEM with comments before it, as RFC 7468 2 allows: metadata in JSON, one `# ` a line. */
export function encodeRecord(record: CertificateRecord): string {
  const { chain, keyPem, ...rest } = record;
  const metadata = JSON.stringify({ version: 1, certificates: chain?.length ?? 0, ...rest }, undefined, 2);
  return `${title}\n${metadata.replace(/^/gm, "# ")}\n${keyPem?.reveal() ?? ""}${chain?.pem ?? ""}`;
}

/** Reads the content of a certificate file. Leaves damaged parts out and returns the damage. */
export function decodeRecord(
  content: string,
  path: string,
): { readonly record: CertificateRecord | undefined; readonly damage?: PortholeError } {
  const text = content.replaceAll("\r\n", "\n");
  const faults: unknown[] = [];
  const isOurs = text.startsWith("# Porthole");
  const hasPem = /^-----BEGIN CERTIFICATE-----$/m.test(text);
  let metadata: Metadata | undefined;
  let chain: Chain | undefined;
  if (isOurs || !hasPem)
    try {
      metadata = readMetadata(text);
    } catch (reason) {
      faults.push(reason);
    }
  if (hasPem || (metadata && metadata.certificates > 0))
    try {
      chain = parseChain(text, "it");
      if (metadata && metadata.certificates !== chain.length)
        throw new Error(`it has ${chain.length} of ${metadata.certificates} certificates`);
    } catch (reason) {
      chain = undefined;
      faults.push(reason);
    }
  const keyPem = /^-----BEGIN PRIVATE KEY-----$[^-]*^-----END PRIVATE KEY-----$/m.exec(text)?.[0];
  const damage = faults.length > 0 ? { damage: damaged(path, faults[0]) } : {};
  if (!metadata && !chain) return { record: undefined, ...damage };
  const { certificates: _count, ...known } = metadata ?? { name: "", jitter: 0, retry: noFailures, certificates: 0 };
  const record: CertificateRecord = {
    ...known,
    ...(chain && { chain }),
    ...(keyPem !== undefined && { keyPem: new Secret(`${keyPem}\n`) }),
  };
  return { record, ...damage };
}

interface Metadata extends Omit<CertificateRecord, "chain" | "keyPem"> {
  readonly certificates: number;
}

function readMetadata(text: string): Metadata {
  const lines = text.split("\n");
  const end = lines.findIndex((line, index) => index > 0 && !line.startsWith("#"));
  const json = lines.slice(1, end < 0 ? undefined : end).map((line) => line.slice(2));
  const value = JSON.parse(json.join("\n")) as Record<string, unknown>;
  const { version, name, directoryUrl, certificates, jitter, window, checkWindowAt } = value;
  if (version !== 1) throw new Error(`it is of version ${String(version)}, which this program does not know`);
  if (typeof name !== "string" || !isCount(certificates) || !isNumber(jitter)) throw new Error("a field is missing");
  const { start, end: until, explanationUrl } = (window ?? {}) as Partial<RenewalWindow>;
  return {
    name,
    certificates,
    jitter,
    ...(typeof directoryUrl === "string" && { directoryUrl }),
    ...(isNumber(start) && isNumber(until) && { window: { start, end: until, ...optionalText({ explanationUrl }) } }),
    ...(isNumber(checkWindowAt) && { checkWindowAt }),
    retry: readRetry(value["retry"]),
  };
}

function readRetry(value: unknown): RetryState {
  const { failures, invalidAt, failedAt, startedAt, nextAttemptAt, lastError } = value as Record<string, unknown>;
  if (!isCount(failures) || !Array.isArray(invalidAt)) throw new Error("a field of retry is missing");
  const { code, message, hint } = (lastError ?? {}) as Record<string, unknown>;
  return {
    failures,
    invalidAt: invalidAt.filter(isNumber),
    ...(isNumber(failedAt) && { failedAt }),
    ...(isNumber(startedAt) && { startedAt }),
    ...(isNumber(nextAttemptAt) && { nextAttemptAt }),
    ...(isErrorCode(code) && { lastError: { code, message: shortText(message), ...optionalText({ hint }) } }),
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function shortText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, maxTextLength) : "";
}

function optionalText<K extends string>(field: Record<K, unknown>): Partial<Record<K, string>> {
  return Object.fromEntries(Object.entries(field).filter(([, value]) => typeof value === "string")) as Partial<
    Record<K, string>
  >;
}

function damaged(path: string, cause: unknown): PortholeError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new PortholeError("state", `The certificate file ${path} is damaged: ${what}`, {
    cause,
    hint: "It is moved to the same name with .damaged, and a certificate is ordered if nothing of it can be used.",
  });
}
