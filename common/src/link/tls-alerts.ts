import type { ErrorCode } from "../errors.ts";

/** A TLS alert (RFC 8446 section 6, IANA's registry) in words of our own. */
interface Alert {
  readonly number: number;
  /** As IANA and OpenSSL call it. */
  readonly name: string;
  /** Why the other side ended TLS: completes "the other side ...". */
  readonly received: string;
  /** The fault of the other side when our own TLS ends the connection. Completes "the other side ...". */
  readonly sent: string;
  readonly code: ErrorCode;
}

const badRecords = "sent TLS records that are damaged";
const notUnderstood = "sent a TLS handshake that breaks the standard";

const alerts: readonly Alert[] = [
  alert(0, "close_notify", "closed", "ended the connection", "ended the connection"),
  alert(10, "unexpected_message", "protocol", "got another TLS message than it expected", notUnderstood),
  alert(20, "bad_record_mac", "protocol", "got TLS records that were changed on the way", badRecords),
  alert(21, "decryption_failed", "protocol", "got TLS records that were changed on the way", badRecords),
  alert(22, "record_overflow", "protocol", "got a TLS record that is too long", badRecords),
  alert(
    40,
    "handshake_failure",
    "protocol",
    "has no TLS cipher in common with us",
    "has no TLS cipher in common with us",
  ),
  alert(41, "no_certificate", "protocol", "wants a certificate", "presented no certificate"),
  ofCertificate(42, "bad_certificate", "is damaged, for another name, or not valid yet"),
  ofCertificate(43, "unsupported_certificate", "is of a kind that TLS can't use here"),
  ofCertificate(44, "certificate_revoked", "was revoked"),
  ofCertificate(45, "certificate_expired", "has expired"),
  ofCertificate(46, "certificate_unknown", "is not acceptable"),
  alert(47, "illegal_parameter", "protocol", "does not accept a value of our TLS handshake", notUnderstood),
  ofCertificate(48, "unknown_ca", "is from an authority that is not known here"),
  alert(49, "access_denied", "protocol", "refuses our certificate", "is refused"),
  alert(50, "decode_error", "protocol", "could not read our TLS handshake", notUnderstood),
  alert(51, "decrypt_error", "protocol", "could not verify our TLS handshake", "sent a TLS signature that is wrong"),
  alert(70, "protocol_version", "protocol", "does not speak TLS 1.3", "does not speak TLS 1.3"),
  alert(71, "insufficient_security", "protocol", "wants stronger TLS than ours", "offers only weak TLS"),
  alert(80, "internal_error", "unreachable", "failed in the TLS handshake", "failed in the TLS handshake"),
  alert(
    86,
    "inappropriate_fallback",
    "protocol",
    "does not accept an older TLS version",
    "fell back to an older TLS version",
  ),
  alert(90, "user_canceled", "closed", "cancelled the TLS handshake", "cancelled the TLS handshake"),
  alert(100, "no_renegotiation", "protocol", "does not renegotiate TLS", "wanted to renegotiate TLS"),
  alert(109, "missing_extension", "protocol", "misses a part of our TLS handshake", notUnderstood),
  alert(110, "unsupported_extension", "protocol", "does not accept a part of our TLS handshake", notUnderstood),
  alert(112, "unrecognized_name", "usage", "does not serve the name that was asked for", "asked for an unknown name"),
  ofCertificate(113, "bad_certificate_status_response", "has an invalid revocation status"),
  alert(115, "unknown_psk_identity", "protocol", "does not know our TLS session", "named an unknown TLS session"),
  alert(116, "certificate_required", "protocol", "wants a certificate", "presented no certificate"),
  alert(120, "no_application_protocol", "version", "does not speak our protocol", "does not speak our protocol"),
];

const byNumber = new Map(alerts.map((each) => [each.number, each]));
/** OpenSSL and BoringSSL differ in one spelling. */
const byName = new Map([
  ...alerts.map((each) => [each.name, each] as const),
  ["user_cancelled", byNumber.get(90) as Alert] as const,
  ["decompression_failure", byNumber.get(50) as Alert] as const,
]);

function alert(number: number, name: string, code: ErrorCode, received: string, sent: string): Alert {
  return { number, name, code, received, sent };
}

function ofCertificate(number: number, name: string, what: string): Alert {
  return alert(number, name, "protocol", `refuses our certificate: it ${what}`, `has a certificate that ${what}`);
}

/** An alert that the other side sent, as an error's code and what completes "the other side ...". */
export function receivedAlert(number: number): { readonly code: ErrorCode; readonly text: string } {
  const known = byNumber.get(number);
  return { code: known?.code ?? "protocol", text: known?.received ?? "ended TLS for a reason that is not known here" };
}

/** An alert that our own TLS sent. A certificate that we refuse is `untrusted`. */
export function sentAlert(number: number): { readonly code: ErrorCode; readonly text: string } {
  const known = byNumber.get(number);
  const code = known?.sent.startsWith("has a certificate") ? "untrusted" : (known?.code ?? "protocol");
  return { code, text: known?.sent ?? "made TLS fail for a reason that is not known here" };
}

/**
 * The number of the alert in the `code` of an error of Node's TLS, such as ERR_SSL_TLSV1_ALERT_UNKNOWN_CA or
 * ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE. Undefined for other errors.
 */
export function alertOf(code: string | undefined): number | undefined {
  const name = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13|SSL\/TLS)_(?:ALERT_)?([A-Z_]+)$/.exec(code ?? "")?.[1];
  return name === undefined ? undefined : byName.get(name.toLowerCase())?.number;
}
