import type { Logger } from "@porthole/common/log";
import type { ClientLink, Registry } from "./registry.ts";

/** Leads visitors there from now on, and lets the other links of the same key know. */
export function enter(client: ClientLink, registry: Registry, log: Logger): void {
  const others = registry.instances(client.clientId);
  const hasOthers = [...others].some((instance) => instance !== client.instance);
  if (hasOthers && !others.has(client.instance))
    log.warn(
      { link: client.id, client: client.clientId },
      "Another process with the same key is connected; both serve",
    );
  lookAtOthers(client, registry);
  registry.add(client);
  if (hasOthers) tellInstances(client, registry);
}

/** Leads no visitor there any more, and lets the other processes with the same key know. */
export function leave(client: ClientLink, registry: Registry): void {
  registry.remove(client);
  if (!registry.instances(client.clientId).has(client.instance)) tellInstances(client, registry);
}

/**
 * Who dials again may have lost what it had; visitors must not find that out one by one. A TCP connection can't come along to another
 * address, a QUIC connection can.
 */
function lookAtOthers({ hostnames, instance, link }: ClientLink, registry: Registry): void {
  for (const other of new Set(hostnames.flatMap((hostname) => registry.find(hostname)))) {
    if (other.instance !== instance) continue;
    const { kind, remote } = other.link;
    const isElsewhere = kind === link.kind && kind !== "quic" && remote.address !== link.remote.address;
    if (isElsewhere) other.link.suspect();
    else void other.link.probe();
  }
}

/** Every process of a name learns how many others there are: each orders certificates, and visitors come to any of them. */
function tellInstances({ hostnames, clientId }: ClientLink, registry: Registry): void {
  const links = [...new Set(hostnames.flatMap((hostname) => registry.find(hostname)))];
  const others = new Set(links.map(({ instance }) => instance)).size - 1;
  for (const { link } of links) link.control.send({ type: "instances", others, clientId });
}
