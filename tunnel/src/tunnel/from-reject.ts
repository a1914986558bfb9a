import { isErrorCode, PortholeError } from "@porthole/common/errors";

/** The relay's refusal, as it came over the wire. */
export function fromReject(code: string, message: string, retryAfterMs: number | undefined): PortholeError {
  return new PortholeError(
    isErrorCode(code) ? code : "unauthorized",
    `The relay refused: ${message.replace(/\.$/, "")}`,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}
