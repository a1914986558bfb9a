import type forge from "node-forge";
import asn1 from "node-forge/lib/asn1.js";

export { asn1 };
export type Asn1 = forge.asn1.Asn1;

// node-forge keeps bytes in strings, one character a byte.
export function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Encodes a value as DER (X.690). */
export function toDer(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), "latin1");
}

// @types/node-forge knows neither fromDer's options nor tags that are not universal.
const decode = asn1.fromDer as unknown as (bytes: string, options: object) => Asn1;
const create: (tagClass: number, tag: number, constructed: boolean, value: string | Asn1[]) => Asn1 = asn1.create;

/** Exactly one value, nothing after it. Throws node-forge's errors. */
export function fromDer(der: Uint8Array): Asn1 {
  // Without decodeBitStrings node-forge does not guess what is inside, and a key comes out as it went in.
  return decode(binary(der), { strict: true, parseAllBytes: true, decodeBitStrings: false });
}

export function sequence(items: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
}

/** A value under a context-specific tag: [tag]. */
export function tagged(tag: number, value: string | Asn1[]): Asn1 {
  return create(asn1.Class.CONTEXT_SPECIFIC, tag, typeof value !== "string", value);
}

/** Returns whether the value is under this context-specific tag. */
export function isTagged(value: Asn1, tag: number): boolean {
  const type: number = value.type;
  return value.tagClass === asn1.Class.CONTEXT_SPECIFIC && type === tag;
}

export function primitive(type: forge.asn1.Type, value: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, value);
}

export function integer(bytes: Uint8Array): Asn1 {
  return primitive(asn1.Type.INTEGER, binary(bytes));
}

export function oid(id: string): Asn1 {
  return primitive(asn1.Type.OID, asn1.oidToDer(id).getBytes());
}

export function octetString(bytes: Uint8Array): Asn1 {
  return primitive(asn1.Type.OCTETSTRING, binary(bytes));
}

export function bitString(unusedBits: number, bytes: Uint8Array): Asn1 {
  return primitive(asn1.Type.BITSTRING, String.fromCharCode(unusedBits) + binary(bytes));
}
