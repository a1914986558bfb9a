import { PortholeError, setting } from "../../errors.ts";
import { faultText } from "../../util/fault-text.ts";
import { errnoOf } from "../../util/state-file.ts";

/** Node's names for what OpenSSL finds wrong with a server's certificate, as people would say it. */
const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  CERT_REVOKED: "it was revoked",
  CERT_SIGNATURE_FAILURE: "its signature is wrong",
  CERT_CHAIN_TOO_LONG: "its chain is too long",
  CERT_UNTRUSTED: "its issuer is not trusted",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name",
  HOSTNAME_MISMATCH: "it is for another name",
  INVALID_CA: "its issuer is not an authority",
  INVALID_PURPOSE: "it is not for servers",
  SELF_SIGNED_CERT_IN_CHAIN: "its issuer is not trusted",
  UNABLE_TO_GET_ISSUER_CERT: "its issuer is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its issuer is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its issuer is not trusted",
};

/** An error of node:http, node:tls or the sockets below them, on the way to the certificate authority at `where`. */
export function networkError(where: string, reason: unknown): PortholeError {
  if (reason instanceof PortholeError) return reason;
  const code = errnoOf(reason) ?? "";
  const fault = certificateFaults[code];
  if (fault !== undefined)
    return new PortholeError("untrusted", `The TLS certificate of ${where} can't be trusted: ${fault} (${code})`, {
      cause: reason,
      hint: `Check ${setting("acme-directory")} and this machine's clock. For a private authority name its root in NODE_EXTRA_CA_CERTS. A proxy that inspects TLS gives the same error.`,
    });
  return new PortholeError("unreachable", `${where} can't be reached: ${faultText(reason)}`, {
    cause: reason,
    hint: `Check the network and ${setting("acme-directory")}. The next attempt follows by itself.`,
  });
}
