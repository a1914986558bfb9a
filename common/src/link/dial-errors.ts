import { PortholeError, type ErrorCode } from "../errors.ts";
import { alertOf, receivedAlert } from "./tls-alerts.ts";

/** The meaning of a failed dial and the user's next step. `{host}` and `{where}` (host:port) are filled in. */
interface Fault {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint?: string | undefined;
}

const checkNetwork = "Check this machine's network.";
const clientPort = "clients connect to port 4433 where nothing else is said.";

const noRelay: Fault = {
  code: "usage",
  text: "{where} is not a Porthole relay",
  hint: `Check the relay's name and port; ${clientPort}`,
};
const dropped: Fault = {
  code: "busy",
  text: "{where} closed the connection at once",
  hint: "The relay is busy, or keeps this address out for a while.",
};
const unknown: Fault = { code: "unreachable", text: "The connection with {where} failed" };

/** Faults with the codes that Node and OpenSSL have for them. */
const table: readonly (readonly [codes: string, Fault])[] = [
  ["ENOTFOUND ENODATA", unreachable("{host} has no address in the DNS", "Check the spelling of the relay's name.")],
  ["EAI_AGAIN", unreachable("The address of {host} can't be looked up at present", checkNetwork)],
  ["ECONNREFUSED", unreachable("Nothing listens on {where}", "Check the port, or ask the relay's operator.")],
  [
    "EHOSTUNREACH ENETUNREACH ENETDOWN EHOSTDOWN",
    unreachable("There is no way to {where} from this network", checkNetwork),
  ],
  ["ECONNRESET ECONNABORTED EPIPE", unreachable("The connection with {where} broke off")],
  [
    "ETIMEDOUT",
    { code: "timeout", text: "{where} does not answer", hint: "A firewall in between may block the port." },
  ],
  [
    "EADDRINUSE EADDRNOTAVAIL EACCES EPERM",
    { code: "address", text: "This machine lets no socket connect to {where}" },
  ],
  [
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    {
      code: "untrusted",
      text: "{where} has no certificate of a public authority",
      hint: "Join the relay by an invite, or pin its fingerprint: `porthole-relay status` shows it.",
    },
  ],
  [
    "SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY" +
      " UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_UNTRUSTED INVALID_CA",
    untrusted(
      "is from an authority that this machine does not know",
      "Name the authority's root in NODE_EXTRA_CA_CERTS, or pin the relay's fingerprint.",
    ),
  ],
  ["ERR_TLS_CERT_ALTNAME_INVALID HOSTNAME_MISMATCH", untrusted("is for another name")],
  ["CERT_REVOKED", untrusted("was revoked")],
  ["CERT_SIGNATURE_FAILURE", untrusted("has a wrong signature")],
  ["INVALID_PURPOSE", untrusted("is not for servers")],
  ["CERT_HAS_EXPIRED", untrusted("has expired", "Check this machine's clock, and ask the relay's operator.")],
  ["CERT_NOT_YET_VALID", untrusted("is not valid yet", "Check this machine's clock.")],
  [
    "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
    {
      code: "usage",
      text: "{where} does not take clients: it is for visitors, or not a Porthole relay",
      hint: `Check the port; ${clientPort}`,
    },
  ],
  // ERR_HTTP2_ERROR is nghttp2's BAD_CLIENT_MAGIC: an HTTP/2 server, where a relay would take the client's role.
  ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL ERR_HTTP2_ERROR", noRelay],
  [
    "ERR_SSL_WRONG_VERSION_NUMBER ERR_SSL_PACKET_LENGTH_TOO_LONG ERR_SSL_UNSUPPORTED_PROTOCOL" +
      " ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
    { ...noRelay, text: "{where} is not a Porthole relay: it does not speak TLS 1.3" },
  ],
];

const faults = new Map(table.flatMap(([codes, fault]) => codes.split(" ").map((code) => [code, fault] as const)));

function unreachable(text: string, hint?: string): Fault {
  return { code: "unreachable", text, hint };
}

function untrusted(what: string, hint?: string): Fault {
  return { code: "untrusted", text: `The certificate of {where} ${what}`, hint };
}

/** The texts and hints of failed dials, but those of TLS's alerts, for translators. `{host}` and `{where}` stand for what is filled in. */
export function dialFaultTexts(): readonly string[] {
  const all = [...table.map(([, fault]) => fault), dropped, unknown];
  return [...new Set(all.flatMap(({ text, hint }) => (hint === undefined ? [text] : [text, hint])))];
}

/**
 * The error of a dial to host and port, in words of our own; the library's is its `cause`. Of several addresses that were tried
 * (AggregateError) the first one's error counts.
 */
export function dialError(reason: unknown, target: { readonly host: string; readonly port: number }): PortholeError {
  if (reason instanceof PortholeError) return reason;
  const code = libraryCode(reason);
  return faultError((code && (faults.get(code) ?? alertFault(code))) || unknown, target, reason);
}

function alertFault(libraryErrorCode: string): Fault | undefined {
  const alert = alertOf(libraryErrorCode);
  if (alert === undefined) return undefined;
  const { code, text } = receivedAlert(alert);
  return { code, text: `{where} ${text}`, hint: "It may be no Porthole relay, or a program in between changes TLS." };
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
