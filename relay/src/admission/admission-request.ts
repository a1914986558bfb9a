import { PortholeError } from "@porthole/common/errors";
import type { Owner, PeerIdentity } from "@porthole/common/identity";
import type { Secret } from "@porthole/common/util";

/** A client's request to be admitted. Its key and its owner's are proven; everything else is its own claim. */
export interface AdmissionRequest {
  readonly peer: PeerIdentity;
  /** The owner that delegated to the key. Defaults to the key itself. */
  readonly owner?: Owner;
  readonly address: string;
  readonly suffix: string;
  /** The friendly name that it wants. */
  readonly name?: string;
  /** The token of an invite. */
  readonly token?: Secret;
}

/** Lets a client in, or throws `unauthorized` or `name` with a sentence for the client's user. */
export type Authorize = (request: AdmissionRequest, signal: AbortSignal) => Promise<void>;

/** Returns the `unauthorized` error for a client that nothing admits. */
export function unknownClient(clientId: string): PortholeError {
  return new PortholeError("unauthorized", `this relay does not know the client id ${clientId}`, {
    hint: "Ask the relay's operator for an invite.",
  });
}
