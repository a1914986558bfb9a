import { PortholeError, type ErrorCode } from "../errors.ts";

/** What a failed dial means, and what its user can do. `{host}` and `{where}` (host:port) are filled in. */
interface Fault {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint?: string;
}

const unknownAuthority: Fault = {
  code: "untrusted",
  text: "The certificate of {where} is from an authority that this machine does not know",
  hint: "Name the authority's root in NODE_EXTRA_CA_CERTS, or pin the relay's fingerprint.",
};
const selfSigned: Fault = {
  code: "untrusted",
  text: "{where} has no certificate of a public authority",
  hint: "Join the relay by an invite, or pin its fingerprint: `porthole-relay status` shows it.",
};
const otherName: Fault = { code: "untrusted", text: "The certificate of {where} is for another name" };
const noRelay: Fault = {
  code: "usage",
  text: "{where} is not a Porthole relay",
  hint: "Check the relay's name and port; clients connect to port 4433 where nothing else is said.",
};
const noTls: Fault = { ...noRelay, text: "{where} is not a Porthole relay: it does not speak TLS 1.3" };
const noAddress: Fault = {
  code: "unreachable",
  text: "{host} has no address in the DNS",
  hint: "Check the spelling of the relay's name.",
};
const noNetwork: Fault = {
  code: "unreachable",
  text: "There is no way to {where} from this network",
  hint: "Check this machine's network.",
};
const brokeOff: Fault = { code: "unreachable", text: "The connection with {where} broke off" };
const silent: Fault = {
  code: "timeout",
  text: "{where} does not answer",
  hint: "A firewall in between may block the port.",
};
const noPort: Fault = { code: "address", text: "This machine lets no socket connect to {where}" };

/** By the `code` of Node's and OpenSSL's errors. */
const faults: Readonly<Record<string, Fault>> = {
  ENOTFOUND: noAddress,
  ENODATA: noAddress,
  EAI_AGAIN: {
    code: "unreachable",
    text: "The address of {host} can't be looked up at present",
    hint: "Check this machine's network.",
  },
  ECONNREFUSED: {
    code: "unreachable",
    text: "Nothing listens on {where}",
    hint: "Check the port, or ask the relay's operator.",
  },
  ETIMEDOUT: silent,
  EHOSTUNREACH: noNetwork,
  ENETUNREACH: noNetwork,
  ENETDOWN: noNetwork,
  EHOSTDOWN: noNetwork,
  ECONNRESET: brokeOff,
  ECONNABORTED: brokeOff,
  EPIPE: brokeOff,
  EADDRINUSE: noPort,
  EADDRNOTAVAIL: noPort,
  EACCES: noPort,
  EPERM: noPort,
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_UNTRUSTED: unknownAuthority,
  INVALID_CA: unknownAuthority,
  ERR_TLS_CERT_ALTNAME_INVALID: otherName,
  HOSTNAME_MISMATCH: otherName,
  CERT_REVOKED: { code: "untrusted", text: "The certificate of {where} was revoked" },
  CERT_SIGNATURE_FAILURE: { code: "untrusted", text: "The certificate of {where} has a wrong signature" },
  INVALID_PURPOSE: { code: "untrusted", text: "The certificate of {where} is not for servers" },
  CERT_HAS_EXPIRED: {
    code: "untrusted",
    text: "The certificate of {where} has expired",
    hint: "Check this machine's clock, and ask the relay's operator.",
  },
  CERT_NOT_YET_VALID: {
    code: "untrusted",
    text: "The certificate of {where} is not valid yet",
    hint: "Check this machine's clock.",
  },
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: {
    code: "usage",
    text: "{where} does not take clients: it is for visitors, or not a Porthole relay",
    hint: "Check the port; clients connect to port 4433 where nothing else is said.",
  },
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: noRelay,
  // nghttp2's BAD_CLIENT_MAGIC: an HTTP/2 server, where a relay would take the client's role.
  ERR_HTTP2_ERROR: noRelay,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: noTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: noTls,
};

const dropped: Fault = {
  code: "busy",
  text: "{where} closed the connection at once",
  hint: "The relay is busy, or keeps this address out for a while.",
};
const unknown: Fault = { code: "unreachable", text: "The connection with {where} failed" };

/**
 * The error of a dial to host and port, in words of our own; the library's is its `cause`. Of several addresses that were tried
 * (AggregateError) the first one's error counts.
 */
export function dialError(reason: unknown, target: { readonly host: string; readonly port: number }): PortholeError {
  if (reason instanceof PortholeError) return reason;
  const code = libraryCode(reason);
  return faultError((code && faults[code]) || unknown, target, reason);
}

/** A server that is there and does not speak our protocol. */
export function noRelayError(target: { readonly host: string; readonly port: number }): PortholeError {
  return faultError(noRelay, target);
}

/** A server that has taken the connection and ended it before the handshake was over. */
export function goneError(target: { readonly host: string; readonly port: number }, cause?: unknown): PortholeError {
  return faultError(dropped, target, cause);
}

function faultError(
  { code, text, hint }: Fault,
  { host, port }: { readonly host: string; readonly port: number },
  cause?: unknown,
): PortholeError {
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const message = text.replace("{where}", where).replace("{host}", host);
  return new PortholeError(code, message, { cause, ...(hint === undefined ? {} : { hint }) });
}

/** The `code` of a system, TLS or HTTP/2 error; of the first one inside when several addresses were tried. */
export function libraryCode(reason: unknown): string | undefined {
  if (reason instanceof AggregateError) return libraryCode(reason.errors[0]);
  if (reason instanceof Error && "code" in reason && typeof reason.code === "string") return reason.code;
  return undefined;
}
