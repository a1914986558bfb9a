import { PortholeError, setting } from "@porthole/common/errors";
import { openSslReason } from "@porthole/common/util";

const notTls = "it does not speak TLS";
const anotherScheme = `Give it with http:// in ${setting("local")}.`;

interface Fault {
  readonly why: string;
  readonly hint?: string;
}

/** The meaning of a failed connection to a service, by the codes of Node and OpenSSL. */
const table: readonly (readonly [codes: string, Fault])[] = [
  ["ECONNREFUSED", { why: "nothing listens there" }],
  ["ENOENT", { why: "there is no such socket" }],
  ["EACCES EPERM", { why: "this user may not connect to it" }],
  ["ENOTFOUND ENODATA", { why: "its name has no address" }],
  ["EAI_AGAIN", { why: "its name can't be looked up at present" }],
  ["EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN", { why: "there is no way to it from this network" }],
  ["ECONNRESET ECONNABORTED EPIPE", { why: "the connection broke off" }],
  ["ETIMEDOUT", { why: "nothing came back" }],
  ["EADDRNOTAVAIL EADDRINUSE", { why: "this machine has no free port for the connection" }],
  ["EMFILE ENFILE", { why: "this machine has too many open files" }],
  ["ERR_SSL_WRONG_VERSION_NUMBER ERR_SSL_PACKET_LENGTH_TOO_LONG", { why: notTls, hint: anotherScheme }],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", { why: "its version of TLS is too old" }],
  ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", { why: "it speaks another protocol over TLS" }],
  ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", { why: "it has no certificate for this name" }],
  [
    "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    { why: "it refused the TLS handshake: it may ask for a certificate of its clients" },
  ],
];
const faults = new Map(table.flatMap(([codes, fault]) => codes.split(" ").map((code) => [code, fault] as const)));

/** Why a service can't be reached, in words of our own: for after "does not answer:". The library's text stays in the `cause`. */
export function serviceFault(cause: unknown): Fault {
  if (cause instanceof PortholeError) return { why: cause.message };
  const code = codeOf(cause);
  const fault = code === undefined ? undefined : faults.get(code);
  if (fault) return fault;
  return {
    why: code?.startsWith("ERR_SSL_")
      ? `no TLS could be agreed on${openSslReason(cause)}`
      : `it failed (${code ?? "unknown"})`,
  };
}

/** Returns the error's code; the first one's when several addresses were tried. */
function codeOf(cause: unknown): string | undefined {
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  const { code } = (first ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}
