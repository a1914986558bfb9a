import { PortholeError } from "../errors.ts";
import { errnoOf } from "./state-file.ts";

const faults: Readonly<Record<string, string>> = {
  EACCES: "this machine does not allow it",
  EADDRINUSE: "the port is taken",
  EADDRNOTAVAIL: "this machine has no such address",
  EAI_AGAIN: "its address can't be looked up; is there a network?",
  ECONNABORTED: "it broke the connection off",
  ECONNREFUSED: "it refuses connections",
  ECONNRESET: "it broke the connection off",
  EHOSTDOWN: "there is no way to it",
  EHOSTUNREACH: "there is no way to it",
  EMFILE: "this program has too many open files",
  ENETDOWN: "this machine has no network",
  ENETUNREACH: "this machine has no network",
  ENOENT: "there is no such file",
  ENOTFOUND: "there is no such host",
  EPERM: "this machine does not allow it",
  EPIPE: "it broke the connection off",
  EPROTO: "it does not speak TLS",
  ETIMEDOUT: "it does not answer",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
};

/**
 * Returns what is wrong with another host or program, in words that can follow its name and a colon. For an error that has no words here
 * it returns the code.
 */
export function faultText(reason: unknown): string {
  if (reason instanceof PortholeError) return reason.message;
  const code = codeOf(reason);
  return faults[code] ?? (code || (reason instanceof Error ? reason.message : String(reason)));
}

/** The first address's error counts where several were tried. */
function codeOf(reason: unknown): string {
  return (reason instanceof AggregateError ? codeOf(reason.errors[0]) : errnoOf(reason)) ?? "";
}
