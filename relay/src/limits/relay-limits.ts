import type { EarlyDrop } from "./early-drop.ts";

/** How much of the relay one visitor, one name, one client or one network may take. 0 is no limit, except where it says so. */
export interface RelayLimits {
  /** New connections a second from one source; twice as many at once. */
  readonly visitorsPerAddress: number;
  /** New connections a second to one name; twice as many at once. */
  readonly visitorsPerName: number;
  /** Visitors at once on the whole relay. */
  readonly maxVisitors: number;
  /** Visitors at once from one source. */
  readonly streamsPerAddress: number;
  /** Visitors at once of one name. */
  readonly streamsPerClient: number;
  /** ClientHellos that are waited for at once; when one more comes, who has waited longest goes. Never without a limit. */
  readonly maxPendingHellos: number;
  /** When clients' connections are dropped before they are admitted. */
  readonly pendingClients: EarlyDrop;
  /** The longest that a source is kept out for what its clients did wrong; 0 keeps nobody out. */
  readonly maxPenaltyMs: number;
  /** Admitted links. */
  readonly linksPerAddress: number;
  readonly linksPerClient: number;
  readonly maxLinks: number;
  /** Bytes that the clients of one owner may carry in a calendar month (UTC), both directions together. */
  readonly bytesPerMonth: number;
  /** The same in a second, over all visitors. */
  readonly bandwidth: number;
  /** How long after its start visitors wait for clients that are not back yet; 0 lets nobody wait. */
  readonly startupGraceMs: number;
  /** How long the relay lets visitors finish before it ends; 0 lets nobody. */
  readonly drainMs: number;
}

/** The limits, by the name under which they are counted when they are reached: the option's, mostly. */
export type LimitName = (typeof limitNames)[number];
export const limitNames = [
  "visitors-per-address",
  "visitors-per-name",
  "max-visitors",
  "streams-per-address",
  "streams-per-client",
  "pending-hellos",
  "pending-clients",
  "penalty",
  "links-per-address",
  "links-per-client",
  "max-links",
] as const;

/** Called whenever a limit turned somebody away, with the address or network, or the host name, that it was reached for. */
export type OnLimit = (limit: LimitName, source: string) => void;
