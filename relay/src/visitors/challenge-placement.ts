import { splice, type LinkStream } from "@porthole/common/link";
import { readVerdict } from "../cluster/hop-wire.ts";
import type { Place } from "./place.ts";
import { openFirst, type VisitorConnection, type VisitorPlace } from "./placement.ts";

/**
 * Leads a CA's validator to the client process that has the challenge. Two processes may have the same key, and each orders for itself:
 * one that does not know the challenge aborts the stream, and the next one gets the same bytes. All links of the newest process
 * come first, and other relays last. Where the answer is not "forwarded", the socket is still the caller's.
 */
export function placeChallenge(socket: VisitorConnection, place: VisitorPlace): "forwarded" | "full" | "unknown-name" {
  const candidates = byProcess(place.places.find(place.hostname));
  if (candidates.length === 0) return "unknown-name";
  return offer(socket, candidates, place) ? "forwarded" : "full";
}

/** The links of the process that connected last, the best one first, then those of the one before. */
function byProcess(links: readonly Place[]): Place[] {
  const newest = new Map<string, number>();
  for (const { instance, connectedAt } of links)
    newest.set(instance, Math.max(connectedAt, newest.get(instance) ?? Number.NEGATIVE_INFINITY));
  const age = ({ instance }: Place): number => newest.get(instance) ?? 0;
  // The sort is stable, and links of one process stay together also where two connected in the same millisecond.
  return links.toSorted((a, b) => age(b) - age(a) || (a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : 0));
}

/** False when no link has room. The socket stays paused until a process has answered. */
function offer(socket: VisitorConnection, candidates: readonly Place[], place: VisitorPlace): boolean {
  const placed = openFirst(candidates, place);
  if (!placed) return false;
  const { client, stream } = placed;
  const others = candidates.filter(({ instance }) => instance !== client.instance);
  stream.on("readable", onReadable);
  stream.on("close", decline);
  socket.on("close", settle);
  return true;

  function release(): void {
    stream.off("readable", onReadable);
    stream.off("close", decline);
    socket.off("close", settle);
  }

  function onReadable(): void {
    if (!client.isRelay) return settle();
    const verdict = readVerdict(stream);
    if (verdict === "taken") settle();
    else if (verdict !== undefined) stream.destroy();
  }

  function settle(): void {
    release();
    place.onAnswered?.();
    if (!socket.closed) for (const { traffic } of [client, client.account]) traffic.add(socket);
    carry(socket, stream, client, place);
  }

  function decline(): void {
    release();
    place.log.debug({ trace: place.trace, link: client.id }, "A client does not know a challenge");
    if (!socket.destroyed && !offer(socket, others, place)) socket.destroy();
  }
}

function carry(socket: VisitorConnection, stream: LinkStream, client: Place, { log, trace }: VisitorPlace): void {
  splice(socket, stream, ({ error }) => {
    if (error) log.debug({ trace, link: client.id, client: client.clientId, code: error.code }, error.message);
  });
}
