import type { PortholeError } from "@porthole/common/errors";
import type { Link } from "@porthole/common/link";

/** An error as the client is told. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** With the hint, because its reader is the client's user. */
export function refusalOf({ code, message, hint, retryAfterMs }: PortholeError): Refusal {
  return {
    code,
    message: hint ? `${message.replace(/\.$/, "")}. ${hint}` : message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Tells the client why, then ends the link. */
export async function refuse(link: Link, error: PortholeError): Promise<void> {
  link.control.send({ type: "reject", ...refusalOf(error) });
  await link.close(error);
}
