import { PortholeError, type ErrorCode } from "../../errors.ts";

/** Node's and OpenSSL's codes that mean something else than "no connection". */
const codes: Readonly<Record<string, ErrorCode>> = {
  ETIMEDOUT: "timeout",
  EADDRINUSE: "address",
  EACCES: "address",
  EADDRNOTAVAIL: "address",
  CERT_HAS_EXPIRED: "untrusted",
  CERT_NOT_YET_VALID: "untrusted",
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "untrusted",
};

/** A socket's, TLS's or HTTP/2's error as one of ours. `what` names the connection in the message. */
export function fromNodeError(reason: unknown, what: string, otherwise: ErrorCode = "unreachable"): PortholeError {
  if (reason instanceof PortholeError) return reason;
  const code = nodeErrorCode(reason);
  const text = reason instanceof Error ? reason.message : String(reason);
  return new PortholeError((code && codes[code]) || otherwise, `${what}: ${text}`, { cause: reason });
}

/** The `code` of a system error; of the first one inside when several addresses were tried. */
function nodeErrorCode(reason: unknown): string | undefined {
  if (reason instanceof AggregateError) return nodeErrorCode(reason.errors[0]);
  if (reason instanceof Error && "code" in reason && typeof reason.code === "string") return reason.code;
  return undefined;
}
