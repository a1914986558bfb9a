import { randomBytes, sign, X509Certificate } from "node:crypto";
import { PortholeError } from "../errors.ts";
import { canonicalHostName, parseIp } from "../protocol/index.ts";
import {
  asn1,
  binary,
  bitString,
  fromDer,
  integer,
  octetString,
  oid,
  primitive,
  sequence,
  tagged,
  toDer,
  type Asn1,
} from "./der.ts";
import type { KeyKind } from "./key-kind.ts";
import type { IdentityKey } from "./key.ts";
import { oids } from "./oids.ts";

export const maxExtensionBytes = 4 * 1024;
const dayMs = 24 * 60 * 60 * 1000;
const maxCommonNameLength = 64; // ub-common-name, RFC 5280 appendix A.1

export type CertificateOptions = CertificateContent & ({ readonly notAfter: Date } | { readonly days: number });

interface CertificateContent {
  readonly key: IdentityKey;
  /** The first DNS name when absent, or the client id where that is too long. */
  readonly commonName?: string;
  /** Names, also with a first label of `*`. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** The user's bytes for the custom extension. */
  readonly extension?: Buffer;
  /** Better a day or two ago than now: other people's clocks are late. */
  readonly notBefore: Date;
  /** Extensions of the caller's own, complete (the ACME challenge's, for example). */
  readonly moreExtensions?: readonly CertificateExtension[];
  /** For tests: a certificate authority that signs nothing but itself. */
  readonly isCa?: boolean;
}

export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER of what extnValue holds. */
  readonly value: Buffer;
}

export interface Certificate {
  readonly pem: string;
  readonly der: Buffer;
}

/**
 * A self-signed X.509 v3 certificate (RFC 5280), for TLS servers and clients. node-forge lays out the structure, node:crypto signs.
 * It can be its own only trust anchor.
 */
export function createCertificate(options: CertificateOptions): Certificate {
  const { key } = options;
  if (options.extension && options.extension.length > maxExtensionBytes)
    throw new PortholeError(
      "usage",
      `The certificate extension has ${options.extension.length} bytes, more than ${maxExtensionBytes}`,
    );
  const notAfter = "days" in options ? new Date(options.notBefore.getTime() + options.days * dayMs) : options.notAfter;
  const algorithm = signatureAlgorithms[key.kind];
  const name = distinguishedName(options.commonName ?? defaultCommonName(options));
  const toBeSigned = sequence([
    tagged(0, [integer(Buffer.from([2]))]), // v3
    integer(serialNumber()),
    algorithm.identifier(),
    name,
    sequence([time(options.notBefore), time(notAfter)]),
    name,
    fromDer(key.spki),
    tagged(3, [sequence(extensions(options))]),
  ]);
  const signature = sign(algorithm.hash, toDer(toBeSigned), key.privateKey);
  const der = toDer(sequence([toBeSigned, algorithm.identifier(), bitString(0, signature)]));
  return { der, pem: certificatePem(der) };
}

/** Returns a certificate in PEM (RFC 7468) from its DER. */
export function certificatePem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Returns whether the certificate (PEM) is signed by its own key. */
export function isSelfSigned(pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return certificate.verify(certificate.publicKey);
}

interface SignatureAlgorithm {
  /** For crypto.sign; Ed25519 hashes by itself. */
  readonly hash: string | null;
  identifier(): Asn1;
}

const signatureAlgorithms: Readonly<Record<KeyKind, SignatureAlgorithm>> = {
  // RFC 5758 3.2 and RFC 8410 3: no parameters. RFC 4055 5: NULL.
  p256: { hash: "sha256", identifier: () => sequence([oid(oids.ecdsaWithSha256)]) },
  p384: { hash: "sha384", identifier: () => sequence([oid(oids.ecdsaWithSha384)]) },
  ed25519: { hash: null, identifier: () => sequence([oid(oids.ed25519)]) },
  rsa: { hash: "sha256", identifier: () => sequence([oid(oids.sha256WithRsa), primitive(asn1.Type.NULL, "")]) },
};

function extensions({ dnsNames, ipAddresses = [], extension, isCa = false, moreExtensions = [] }: CertificateOptions) {
  const list: Asn1[] = [
    anExtension(oids.basicConstraints, true, sequence(isCa ? [primitive(asn1.Type.BOOLEAN, "\xff")] : [])),
    // No keyUsage without isCa: one that lacks keyCertSign keeps BoringSSL from taking the certificate as its own trust anchor
    // (quiche then ends with unknown_ca), and keyCertSign in what is not a CA is against RFC 5280 4.2.1.9.
    // For a CA: digitalSignature (bit 0), keyCertSign (5), cRLSign (6).
    ...(isCa ? [anExtension(oids.keyUsage, true, bitString(1, Buffer.from([0x86])))] : []),
    anExtension(oids.extendedKeyUsage, false, sequence([oid(oids.serverAuth), oid(oids.clientAuth)])),
  ];
  const names = [...dnsNames.map(dnsName), ...ipAddresses.map(ipAddress)];
  if (names.length > 0) list.push(anExtension(oids.subjectAltName, false, sequence(names)));
  if (extension) list.push(anExtension(oids.custom, false, octetString(extension)));
  for (const more of moreExtensions) list.push(anExtension(more.oid, more.critical, fromDer(more.value)));
  return list;
}

function anExtension(id: string, critical: boolean, value: Asn1): Asn1 {
  return sequence([oid(id), ...(critical ? [primitive(asn1.Type.BOOLEAN, "\xff")] : []), octetString(toDer(value))]);
}

function dnsName(text: string): Asn1 {
  const wildcard = text.startsWith("*.") ? "*." : "";
  const name = canonicalHostName(text.slice(wildcard.length));
  if (name === undefined)
    throw new PortholeError("usage", `${JSON.stringify(text)} is not a host name that a certificate can be made for`);
  return tagged(2, wildcard + name);
}

function ipAddress(text: string): Asn1 {
  const bytes = parseIp(text);
  if (bytes === undefined) throw new PortholeError("usage", `${JSON.stringify(text)} is not an IP address`);
  return tagged(7, binary(bytes));
}

function defaultCommonName({ key, dnsNames }: CertificateOptions): string {
  const first = dnsNames[0];
  return first !== undefined && first.length <= maxCommonNameLength ? first : key.clientId;
}

function distinguishedName(commonName: string): Asn1 {
  if (commonName.length > maxCommonNameLength)
    throw new PortholeError("usage", `The common name ${JSON.stringify(commonName)} is too long for a certificate`);
  const value = primitive(asn1.Type.UTF8, binary(Buffer.from(commonName, "utf8")));
  return sequence([asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [sequence([oid(oids.commonName), value])])]);
}

/** RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050. */
function time(date: Date): Asn1 {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "")
    .replaceAll(/[-:T]/g, "");
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? primitive(asn1.Type.UTCTIME, `${digits.slice(2)}Z`)
    : primitive(asn1.Type.GENERALIZEDTIME, `${digits}Z`);
}

/** Positive and of full length, however random the rest: the first byte is 0x40 to 0x7f. */
function serialNumber(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}
