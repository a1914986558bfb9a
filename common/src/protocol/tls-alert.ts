/** The TLS alerts that we send (RFC 8446 6; unrecognized_name: RFC 6066 3). */
export const tlsAlert = {
  unexpectedMessage: 10,
  recordOverflow: 22,
  illegalParameter: 47,
  decodeError: 50,
  protocolVersion: 70,
  internalError: 80,
  unrecognizedName: 112,
  noApplicationProtocol: 120,
} as const;

/** A TLS record with one fatal alert, in the clear: right as long as no ServerHello was sent. */
export function encodeAlert(code: number): Buffer {
  return Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, code]);
}
