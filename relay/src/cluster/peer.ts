import { readPeer } from "@porthole/common/identity";
import { PortholeError } from "@porthole/common/errors";

/** Another relay of the cluster. */
export interface Peer {
  /** Fingerprint of its node key: all that it is known by. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

/** Returns a relay's short name for logs and reports. */
export function shortNode(node: string): string {
  return node.slice(0, 8);
}

/** The relay whose key the certificate (DER) proves. Throws `untrusted` for one that is none of ours. */
export function nodeOf(certificate: Buffer, isPeer: (node: string) => boolean): string {
  const node = readPeer(certificate).fingerprint;
  if (!isPeer(node))
    throw new PortholeError("untrusted", `The key ${node} is not one of this cluster's relays`, {
      hint: "Name it with --peer, or end what presents it.",
    });
  return node;
}
