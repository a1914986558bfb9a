import type { PortholeError } from "@porthole/common/errors";
import type { Link, LinkKind } from "@porthole/common/link";
import type { Account } from "../accounting/index.ts";
import type { Traffic } from "../monitoring/traffic.ts";

/** A key that is exposed over one admitted link, and the names that lead to it. A link may have several, see LinkNames. */
export interface ClientLink {
  /** Names the link in logs and reports. */
  readonly id: string;
  readonly clientId: string;
  readonly fingerprint: string;
  /** Fingerprint of the key that TLS has proved. */
  readonly linkFingerprint: string;
  /** Fingerprint of its owner; see Grant. */
  readonly owner: string;
  /** The public names, whole and canonical. None for a link that its client has called bare. */
  readonly hostnames: readonly string[];
  /** The operator's label for the client: that of its invite. */
  readonly label?: string | undefined;
  /** The client's own word: program and version. */
  readonly software: string;
  /** Links with the same client id and instance belong to one client process. */
  readonly instance: string;
  readonly link: Link;
  readonly traffic: Traffic;
  /** The traffic of all links of its owner. */
  readonly account: Account;
  /** Milliseconds since 1970. */
  readonly connectedAt: number;
  /** Why it has to go now, when what let it in does not hold any more. */
  readonly revocationReason: () => PortholeError | undefined;
  /** Admitted by webhook or callback; a later denial for the same key revokes this link. */
  readonly isExternallyAuthorized: boolean;
  /** Tells the client why the key is not exposed any more; with the key that the link is known by the link ends. */
  dismiss(reason: PortholeError): void;
}

/**
 * Which client serves which host name at this relay. Visitors are led by `Places`, which knows the other relays, too: what
 * ends or questions a link must only ever see these.
 */
export interface Registry {
  add(client: ClientLink): void;
  /** Leads no visitor there any more. */
  remove(client: ClientLink): void;
  /** Links that serve exactly this (canonical) host name, the best one first. Empty for an unknown name. */
  find(hostname: string): readonly ClientLink[];
  /** Host names that clients serve here now. */
  names(): Iterable<string>;
  /** Every link that is here now. */
  all(): readonly ClientLink[];
  /** The instances of this client that are here under a name. */
  instances(clientId: string): ReadonlySet<string>;
  /** Clients, their links, and the visitors' streams on them. */
  count(): { readonly clients: number; readonly links: number; readonly streams: number };
}

const preference: Readonly<Record<LinkKind, number>> = { quic: 0, http2: 1 };

/** A link that has carried this much lately counts as if one more visitor were on it. */
const bytesPerVisitor = 16 * 1024;

/**
 * Live links come before silent ones, QUIC before HTTP/2, and then the one with the least to do: a visitor on a connection with a transfer
 * waits behind its bytes, and for its lost packets. A busy QUIC link keeps its place: docs/decisions/quic-before-http2.md.
 */
function rankOf(link: Link): { readonly group: number; readonly burden: number } {
  return {
    group: preference[link.kind] + (link.isSilent ? 2 : 0),
    burden: link.openStreams + Math.floor(link.recentBytes / bytesPerVisitor),
  };
}

/** Returns whether that is the first one. */
function addTo(map: Map<string, readonly ClientLink[]>, key: string, client: ClientLink): boolean {
  const others = map.get(key);
  map.set(key, others ? [...others, client] : [client]);
  return others === undefined;
}

/** Returns whether that was the last one. */
function removeFrom(map: Map<string, readonly ClientLink[]>, key: string, client: ClientLink): boolean {
  const others = map.get(key)?.filter((each) => each !== client) ?? [];
  if (others.length > 0) map.set(key, others);
  else map.delete(key);
  return others.length === 0;
}

export interface RegistryEvents {
  /** The first link with this host name was added. */
  onAdd?(hostname: string): void;
  /** The last link with this host name was removed. */
  onGone?(hostname: string): void;
}

/** Returns an empty registry. It calls `events` within `add` and `remove`. */
export function createRegistry(events: RegistryEvents = {}): Registry {
  // Most have one link: a list of it is a third of a Set.
  const byName = new Map<string, readonly ClientLink[]>();
  const byClient = new Map<string, readonly ClientLink[]>();
  const all = new Set<ClientLink>();
  return {
    add(client) {
      if (all.has(client)) return;
      all.add(client);
      if (client.hostnames.length > 0) addTo(byClient, client.clientId, client);
      for (const hostname of client.hostnames) if (addTo(byName, hostname, client)) events.onAdd?.(hostname);
    },
    remove(client) {
      if (!all.delete(client)) return;
      for (const hostname of client.hostnames) if (removeFrom(byName, hostname, client)) events.onGone?.(hostname);
      removeFrom(byClient, client.clientId, client);
    },
    find(hostname) {
      const clients = byName.get(hostname) ?? [];
      if (clients.length < 2) return clients;
      // The newest first, and the sort is stable: what has just been dialled is there.
      const ranked = clients.toReversed().map((client) => ({ client, rank: rankOf(client.link) }));
      ranked.sort((a, b) => a.rank.group - b.rank.group || a.rank.burden - b.rank.burden);
      return ranked.map(({ client }) => client);
    },
    names: () => byName.keys(),
    all: () => [...all],
    instances(clientId) {
      return new Set(byClient.get(clientId)?.map((client) => client.instance));
    },
    count() {
      const links = linksOf(all);
      let streams = 0;
      for (const link of links) streams += link.openStreams;
      return { clients: byClient.size, links: links.size, streams };
    },
  };
}

/** Each link once, whatever is exposed over it. */
export function linksOf(clients: Iterable<ClientLink>): ReadonlySet<Link> {
  const links = new Set<Link>();
  for (const { link } of clients) links.add(link);
  return links;
}
