import type { LedgerReport } from "./nats/nats-ledger.ts";

interface Forwarded {
  readonly visitors: number;
  /** Bytes from visitors and to them, encrypted. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** How another relay of the cluster stands, as this one sees it. */
export interface PeerReport {
  /** Fingerprint of its node key. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
  /** Whether it tells which names it serves. */
  readonly isHeard: boolean;
  /** It is being stopped. */
  readonly isLeaving: boolean;
  readonly software: string | undefined;
  readonly clients: number | undefined;
  /** Names that it serves. */
  readonly names: number;
  /** Links that this relay has dialled to it, and links that it has dialled. */
  readonly linksTo: number;
  readonly linksFrom: number;
  /** Why this relay has no link to it. */
  readonly failure: string | undefined;
  /** Visitors that came to this relay and were led to it, since the start. */
  readonly to: Forwarded;
  /** Visitors that came to it and were led to clients here. */
  readonly from: Forwarded;
}

export interface ClusterReport {
  /** Fingerprint of this relay's own node key. */
  readonly node: string;
  readonly port: number;
  /** The engine that keeps what all relays know, if there is one. */
  readonly engine: LedgerReport | undefined;
  /** Names that other relays serve. */
  readonly names: number;
  readonly peers: readonly PeerReport[];
}
