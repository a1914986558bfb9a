import type { PortholeError } from "@porthole/common/errors";
import type { Link, LinkKind } from "@porthole/common/link";
import type { Traffic } from "../monitoring/traffic.ts";

/** One admitted link of an agent, and the name that leads to it. */
export interface AgentLink {
  /** Names the link in logs and reports. */
  readonly id: string;
  readonly clientId: string;
  readonly fingerprint: string;
  /** Fingerprint of who answers for it; see Grant. */
  readonly member: string;
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
  readonly objection: () => PortholeError | undefined;
  /** No list let it in: a later no about its key is meant for it, too. */
  readonly isJudged: boolean;
}

/**
 * Who is reachable under which label. An interface, because several relays under one name will share it: nothing else may
 * assume that an agent is on this relay.
 */
export interface Registry {
  add(agent: AgentLink): void;
  /** Leads no visitor there any more. */
  remove(agent: AgentLink): void;
  /** Where a visitor of this name can go, the best link first. Empty for an unknown name. */
  find(label: string): readonly AgentLink[];
  /** Every link that is here now. */
  all(): readonly AgentLink[];
  /** The instances of this client that are here. */
  instances(clientId: string): ReadonlySet<string>;
  /** Agents, their links, and the visitors' streams on them. */
  count(): { readonly agents: number; readonly links: number; readonly streams: number };
}

const preference: Readonly<Record<LinkKind, number>> = { memory: 0, quic: 0, http2: 1 };

/**
 * Live links come before silent ones, QUIC before HTTP/2, and then the fewest streams. A busy QUIC link keeps its place:
 * docs/decisions/quic-before-http2.md.
 */
function rankOf(link: Link): { readonly group: number; readonly streams: number } {
  return { group: preference[link.kind] + (link.isSilent ? 2 : 0), streams: link.openStreams };
}

function addTo(map: Map<string, readonly AgentLink[]>, key: string, agent: AgentLink): void {
  map.set(key, [...(map.get(key) ?? []), agent]);
}

function removeFrom(map: Map<string, readonly AgentLink[]>, key: string, agent: AgentLink): void {
  const others = map.get(key)?.filter((each) => each !== agent) ?? [];
  if (others.length > 0) map.set(key, others);
  else map.delete(key);
}

/** `onAdd` is called with the label of each link that is added. */
export function createRegistry(onAdd: (label: string) => void = () => {}): Registry {
  // Most have one link: a list of it is a third of a Set.
  const byLabel = new Map<string, readonly AgentLink[]>();
  const byClient = new Map<string, readonly AgentLink[]>();
  let links = 0;
  return {
    add(agent) {
      addTo(byLabel, agent.label, agent);
      addTo(byClient, agent.clientId, agent);
      links += 1;
      onAdd(agent.label);
    },
    remove(agent) {
      if (!byLabel.get(agent.label)?.includes(agent)) return;
      links -= 1;
      removeFrom(byLabel, agent.label, agent);
      removeFrom(byClient, agent.clientId, agent);
    },
    find(label) {
      const agents = byLabel.get(label) ?? [];
      if (agents.length < 2) return agents;
      // The newest first, and the sort is stable: what has just been dialled is there.
      const ranked = agents.toReversed().map((agent) => ({ agent, rank: rankOf(agent.link) }));
      ranked.sort((a, b) => a.rank.group - b.rank.group || a.rank.streams - b.rank.streams);
      return ranked.map(({ agent }) => agent);
    },
    all: () => [...byLabel.values()].flat(),
    instances(clientId) {
      return new Set(byClient.get(clientId)?.map((agent) => agent.instance));
    },
    count() {
      let streams = 0;
      for (const agents of byLabel.values()) for (const { link } of agents) streams += link.openStreams;
      return { agents: byClient.size, links, streams };
    },
  };
}
