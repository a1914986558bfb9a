import type { PortholeError } from "@porthole/common/errors";
import type { Link, LinkKind } from "@porthole/common/link";
import type { Traffic } from "../monitoring/traffic.ts";

/** One admitted link of a client, and the name that leads to it. */
export interface ClientLink {
  /** Names the link in logs and reports. */
  readonly id: string;
  readonly clientId: string;
  readonly fingerprint: string;
  /** Fingerprint of who answers for it; see Grant. */
  readonly owner: string;
  /** The first label of its public names. */
  readonly label: string;
  /** Its public names. */
  readonly hostnames: readonly string[];
  /** Links with the same client id and instance belong to one client process. */
  readonly instance: string;
  readonly link: Link;
  readonly traffic: Traffic;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  /** Why it has to go now, when what let it in does not hold any more. */
  readonly revocationReason: () => PortholeError | undefined;
  /** No list let it in: a later no about its key is meant for it, too. */
  readonly isExternallyAuthorized: boolean;
}

/**
 * Who is reachable under which label. An interface, because several relays under one name will share it: nothing else may
 * assume that a client is on this relay.
 */
export interface Registry {
  add(client: ClientLink): void;
  /** Leads no visitor there any more. */
  remove(client: ClientLink): void;
  /** Where a visitor of this name can go, the best link first. Empty for an unknown name. */
  find(label: string): readonly ClientLink[];
  /** Every link that is here now. */
  all(): readonly ClientLink[];
  /** The instances of this client that are here. */
  instances(clientId: string): ReadonlySet<string>;
  /** ClientSessions, their links, and the visitors' streams on them. */
  count(): { readonly clients: number; readonly links: number; readonly streams: number };
}

const preference: Readonly<Record<LinkKind, number>> = { memory: 0, quic: 0, http2: 1 };

/**
 * Live links come before silent ones, QUIC before HTTP/2, and then the fewest streams. A busy QUIC link keeps its place:
 * docs/decisions/quic-before-http2.md.
 */
function rankOf(link: Link): { readonly group: number; readonly streams: number } {
  return { group: preference[link.kind] + (link.isSilent ? 2 : 0), streams: link.openStreams };
}

function addTo(map: Map<string, readonly ClientLink[]>, key: string, client: ClientLink): void {
  map.set(key, [...(map.get(key) ?? []), client]);
}

function removeFrom(map: Map<string, readonly ClientLink[]>, key: string, client: ClientLink): void {
  const others = map.get(key)?.filter((each) => each !== client) ?? [];
  if (others.length > 0) map.set(key, others);
  else map.delete(key);
}

/** `onAdd` is called with the label of each link that is added. */
export function createRegistry(onAdd: (label: string) => void = () => {}): Registry {
  // Most have one link: a list of it is a third of a Set.
  const byLabel = new Map<string, readonly ClientLink[]>();
  const byClient = new Map<string, readonly ClientLink[]>();
  let links = 0;
  return {
    add(client) {
      addTo(byLabel, client.label, client);
      addTo(byClient, client.clientId, client);
      links += 1;
      onAdd(client.label);
    },
    remove(client) {
      if (!byLabel.get(client.label)?.includes(client)) return;
      links -= 1;
      removeFrom(byLabel, client.label, client);
      removeFrom(byClient, client.clientId, client);
    },
    find(label) {
      const clients = byLabel.get(label) ?? [];
      if (clients.length < 2) return clients;
      // The newest first, and the sort is stable: what has just been dialled is there.
      const ranked = clients.toReversed().map((client) => ({ client, rank: rankOf(client.link) }));
      ranked.sort((a, b) => a.rank.group - b.rank.group || a.rank.streams - b.rank.streams);
      return ranked.map(({ client }) => client);
    },
    all: () => [...byLabel.values()].flat(),
    instances(clientId) {
      return new Set(byClient.get(clientId)?.map((client) => client.instance));
    },
    count() {
      let streams = 0;
      for (const clients of byLabel.values()) for (const { link } of clients) streams += link.openStreams;
      return { clients: byClient.size, links, streams };
    },
  };
}
