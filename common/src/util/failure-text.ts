/** What the codes of Node and OpenSSL mean, for people. */
const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "it ended the connection",
  EPIPE: "it ended the connection",
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "its name can't be looked up at the moment",
  ETIMEDOUT: "it did not answer in time",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
  EACCES: "this program may not connect to it",
  ENOENT: "there is no such socket",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is from a CA that this machine does not know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is from a CA that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is from a CA that this machine does not know",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS",
  ERR_SSL_HTTP_REQUEST: "it does not speak TLS",
  ERR_SSL_UNEXPECTED_MESSAGE: "it does not speak TLS",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: "it has no kind of TLS in common with this program",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it has no version of TLS in common with this program",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it has no version of TLS in common with this program",
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: "it has no version of TLS in common with this program",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "it speaks neither of the versions of HTTP that were offered",
};

/** Why a connection failed, in words. Node's and OpenSSL's own texts belong into the cause. */
export function failureText(reason: unknown): string {
  const error = reason instanceof AggregateError ? (reason.errors[0] as unknown) : reason;
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const known = typeof code === "string" ? texts[code] : undefined;
  if (known) return known;
  if (typeof code === "string" && code.startsWith("ERR_SSL_")) return `its TLS failed (${code})`;
  return typeof message === "string" ? message : String(error);
}
