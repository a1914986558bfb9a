import { PortholeError, type ErrorCode } from "../../errors.ts";
import { libraryCode } from "../dial-errors.ts";
import { alertOf, receivedAlert } from "../tls-alerts.ts";

/**
 * The end of a connection that was made, in words of our own; the library's are in `cause`. `what` names the connection.
 * Failed dials have `dialError`.
 */
export function connectionError(reason: unknown, what: string, code: ErrorCode): PortholeError {
  if (reason instanceof PortholeError) return reason;
  const alert = alertOf(libraryCode(reason));
  const text = alert === undefined ? "the connection broke off" : `the other side ${receivedAlert(alert).text}`;
  return new PortholeError(code, `${what}: ${text}`, { cause: reason });
}
