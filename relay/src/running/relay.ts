import type { Operations } from "../monitoring/operate.ts";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { Authorize } from "../admission/index.ts";
import type { RelayConfig } from "../config/config.ts";
import type { QuicWorkerFacts } from "../quic-worker/facts.ts";
import type { EventsAnswer, EventsPosition } from "../monitoring/events.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import type { RelayReport } from "../monitoring/report.ts";
import type { Peer } from "../cluster/peer.ts";
import type { WorkerRole } from "../workers/role.ts";

/** Options of a program that embeds a relay. */
export interface RelayOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked about every client that no list and no invite lets in. */
  readonly authorize?: Authorize;
  /** Operations of the admin page, which take its token. */
  readonly operations?: Operations;
  /** For one of several processes that are a relay together. */
  readonly worker?: WorkerRole;
}

/** Numbers of what is open now. */
export interface RelayCounts {
  readonly clients: number;
  readonly links: number;
  /** Visitors on the links. */
  readonly streams: number;
  /** TCP connections of clients and visitors. */
  readonly sockets: number;
}

/** A relay that runs, as the program around it sees it. The caller closes it. */
export interface Relay {
  readonly apiPort: number;
  readonly publicPort: number;
  readonly alpnPort: number | undefined;
  /** Fingerprint of the relay's key, which clients pin. */
  readonly fingerprint: string;
  /** Why there is no QUIC on this machine, if there is none. */
  readonly quicUnavailable: string | undefined;
  readonly httpPort: number | undefined;
  /** The port for other relays. */
  readonly peerPort: number | undefined;
  /** How other relays on this machine reach it; undefined for a relay that is alone. */
  readonly peer: Peer | undefined;
  readonly adminPort: number | undefined;
  readonly metrics: Metrics;
  /** How the QUIC worker is doing. */
  quic(): QuicWorkerFacts | undefined;
  counts(): RelayCounts;
  /** Returns the report of `porthole-relay status`. */
  report(): RelayReport;
  /** Returns the events after a position, see Events.since. */
  events(position?: Partial<EventsPosition>): EventsAnswer;
  /** Applies what can change while it runs (limits), and rereads certificate and keys. Returns the names of settings that need a restart. */
  reload(config: RelayConfig): Promise<readonly string[]>;
  /** Ends all links of a client, by its id or fingerprint, and returns how many. It may connect again if it is still admitted. */
  disconnect(key: string): number;
  /** These are the other relays from now on, with those of an engine. */
  setPeers(peers: readonly Peer[]): void;
  /** Another worker serves QUIC, or does not any more. */
  setQuicElsewhere(isUp: boolean): void;
  /** Lets an address in again that was kept out, and the network that it counts for. Returns whether it was. */
  unblock(address: string): boolean;
  /**
   * Tells clients and monitoring that the relay will end, and lets visitors finish for as long as the limits say, or until the
   * signal aborts. `close` comes next.
   */
  drain(signal: AbortSignal): Promise<void>;
  /** Notifies the clients, then closes everything. */
  close(): Promise<void>;
}
