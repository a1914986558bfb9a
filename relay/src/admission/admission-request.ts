import { PortholeError } from "@porthole/common/errors";
import type { Owner, PeerIdentity } from "@porthole/common/identity";
import type { Secret } from "@porthole/common/util";

/** What is known of a client when it asks to be let in. Its key and its owner's are proven, everything else is its own word. */
export interface AdmissionRequest {
  readonly peer: PeerIdentity;
  /** Who vouches for the key, if not the key itself. */
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

export function unknownClient(clientId: string): PortholeError {
  return new PortholeError("unauthorized", `this relay does not know the client id ${clientId}`, {
    hint: "Ask the relay's operator for an invite.",
  });
}
