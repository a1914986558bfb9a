import type { Link } from "@porthole/common/link";
import type { Account } from "../accounting/index.ts";
import type { Traffic } from "../monitoring/traffic.ts";

/** A destination of visitors: a client's link, or the link to another relay with such a client. */
export interface Place {
  /** Names the link in logs. */
  readonly id: string;
  /** The client, or the relay. */
  readonly clientId: string;
  /** Places with the same instance lead to one process. */
  readonly instance: string;
  readonly connectedAt: number;
  readonly link: Link;
  readonly traffic: Traffic;
  readonly account: Pick<Account, "traffic" | "throttled">;
  /** The other side is a relay: it looks for the client, and says by a byte ahead of the client's whether it has one. */
  readonly isRelay?: boolean;
}

/** Finds destinations of visitors, this relay's own clients first. */
export interface Places {
  /** Places that serve exactly this (canonical) host name, the best one first. Empty for an unknown name. */
  find(hostname: string): readonly Place[];
}
