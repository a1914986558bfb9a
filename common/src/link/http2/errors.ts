import { PortholeError, type ErrorCode } from "../../errors.ts";

/**
 * The end of a connection that was made, in words of our own; the library's are in `cause`. `what` names the connection.
 * Failed dials have `dialError`.
 */
export function connectionError(reason: unknown, what: string, code: ErrorCode): PortholeError {
  if (reason instanceof PortholeError) return reason;
  return new PortholeError(code, `${what}: the connection broke off`, { cause: reason });
}
