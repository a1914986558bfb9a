import { X509Certificate } from "node:crypto";
import { PortholeError } from "../errors.ts";
import { maxExtensionBytes } from "./certificate.ts";
import { clientIdOf, fingerprint } from "./client-id.ts";
import { asn1, fromDer, isTagged, type Asn1 } from "./der.ts";
import { kindOf, spkiOf, type KeyKind } from "./key-kind.ts";
import { oids } from "./oids.ts";

export const maxCertificateBytes = 16 * 1024;
const where = "the peer's certificate";

/** All that we believe of a peer's certificate: its key, which TLS has proved the peer to hold, and the custom bytes that the key has signed. */
export interface PeerIdentity {
  readonly kind: KeyKind;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  readonly fingerprint: string;
  readonly clientId: string;
  /** The custom extension's bytes. */
  readonly extension: Buffer | undefined;
}

/**
 * Checks the self-signature and reads key and custom extension; names, dates and everything else in a certificate that
 * anyone could have made are ignored. Throws `key` for a kind of key that we don't accept, `protocol` for all else.
 */
export function readPeer(certificateDer: Buffer): PeerIdentity {
  if (certificateDer.length > maxCertificateBytes)
    throw malformed(`${certificateDer.length} bytes, more than ${maxCertificateBytes}`);
  const certificate = parse(certificateDer);
  const fields = fieldsOf(certificateDer);
  checkKeyAlgorithm(fields);
  const publicKey = attempt("its key can't be decoded", () => certificate.publicKey);
  const kind = kindOf(publicKey, where);
  const spki = attempt("its key can't be encoded", () => spkiOf(publicKey, kind, where));
  if (!attempt("its signature can't be checked", () => certificate.verify(publicKey)))
    throw malformed("its signature is not by its own key");
  const print = fingerprint(spki);
  return { kind, spki, fingerprint: print, clientId: clientIdOf(print), extension: customExtension(fields) };
}

function parse(der: Buffer): X509Certificate {
  // X509Certificate takes PEM as well, and ignores what follows the certificate: only one form is one form.
  const certificate = der[0] === 0x30 ? attempt("it is not a certificate", () => new X509Certificate(der)) : undefined;
  if (!certificate?.raw.equals(der)) throw malformed("it is not one certificate in DER");
  return certificate;
}

/** Returns the fields behind the optional version of a TBSCertificate (RFC 5280 section 4.1). The last ones are SubjectPublicKeyInfo and the optional fields. */
function fieldsOf(der: Buffer): Asn1[] {
  const certificate = attempt("it is not DER", () => fromDer(der));
  const fields = children(children(certificate)[0]);
  return fields[0] && isTagged(fields[0], 0) ? fields.slice(1) : fields;
}

/** Before node:crypto looks at the key: BoringSSL and OpenSSL differ in what they can name, and the error must not. */
function checkKeyAlgorithm(fields: readonly Asn1[]): void {
  const [algorithm, parameters] = children(children(fields[5])[0]).map(objectIdentifier);
  if (algorithm === undefined) throw malformed("its key has no algorithm");
  if (algorithm === oids.ecPublicKey ? parameters === oids.p256 || parameters === oids.p384 : plainKeys.has(algorithm))
    return;
  const what = algorithm === oids.ecPublicKey ? `the curve ${parameters ?? "of explicit parameters"}` : algorithm;
  throw new PortholeError("key", `The key in ${where} is of a kind that can't serve as an identity (${what})`, {
    hint: "Use ECDSA P-256 or P-384, Ed25519, or RSA.",
  });
}

const plainKeys: ReadonlySet<string> = new Set([oids.rsa, oids.ed25519]);

function customExtension(fields: readonly Asn1[]): Buffer | undefined {
  const list = fields.find((field) => isTagged(field, 3));
  if (!list) return undefined;
  const found = children(children(list)[0]).filter(
    (extension) => objectIdentifier(children(extension)[0]) === oids.custom,
  );
  if (found.length === 0) return undefined;
  if (found.length > 1) throw malformed("it has the custom extension twice");
  const wrapped = octets(children(found[0]).at(-1));
  const inner = attempt("its custom extension is not DER", () => fromDer(wrapped));
  const bytes = octets(inner);
  if (bytes.length > maxExtensionBytes) throw malformed(`its custom extension has ${bytes.length} bytes`);
  return bytes;
}

function children(value: Asn1 | undefined): Asn1[] {
  if (value?.constructed && Array.isArray(value.value)) return value.value;
  throw malformed("it lacks a part");
}

function octets(value: Asn1 | undefined): Buffer {
  const isOctetString = value?.tagClass === asn1.Class.UNIVERSAL && value.type === asn1.Type.OCTETSTRING;
  if (isOctetString && typeof value.value === "string") return Buffer.from(value.value, "latin1");
  throw malformed("its custom extension is not an OCTET STRING");
}

function objectIdentifier(value: Asn1 | undefined): string | undefined {
  const isOid = value?.tagClass === asn1.Class.UNIVERSAL && value.type === asn1.Type.OID;
  if (!isOid || typeof value.value !== "string") return undefined;
  const { value: content } = value;
  return attempt("it has a malformed object identifier", () => asn1.derToOid(content));
}

function attempt<T>(failure: string, work: () => T): T {
  try {
    return work();
  } catch (reason) {
    if (reason instanceof PortholeError) throw reason;
    throw malformed(failure, reason);
  }
}

function malformed(what: string, cause?: unknown): PortholeError {
  return new PortholeError(
    "protocol",
    `The peer's certificate is not usable: ${what}`,
    cause === undefined ? {} : { cause },
  );
}
