import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { linkLimits, splice, type LinkStream } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import type { Clock, Timer } from "@porthole/common/util";
import { encodeHopHead, readVerdict } from "../cluster/hop-wire.ts";
import type { CountedSocket } from "../monitoring/traffic.ts";
import type { Place, Places } from "./place.ts";

/** A visitor's socket, or its stream from the relay that it has come to. */
export type VisitorConnection = Duplex & CountedSocket;

export interface VisitorPlace {
  /** Canonical. */
  readonly hostname: string;
  /** Bytes that the client gets first: the PROXY header and the ClientHello. */
  readonly opening: readonly Buffer[];
  readonly places: Places;
  readonly clock: Clock;
  readonly log: Logger;
  /** For the log. */
  readonly trace: string;
  /** Takes the connection back: no other relay has the client, and nothing was said to the visitor yet. */
  readonly onDeclined?: () => void;
  /** The client's first bytes are here. */
  readonly onAnswered?: () => void;
}

interface Placed {
  readonly client: Place;
  readonly stream: LinkStream;
}

/**
 * Leads a visitor to the best link that has room; where the answer is another one, the connection is still the caller's. A link
 * that falls silent before the visitor has had a byte back is replaced by one that gives a sign of life: until then all that the
 * visitor has said is its ClientHello, and that can be said again.
 */
export function placeVisitor(visitor: VisitorConnection, place: VisitorPlace): "forwarded" | "full" | "unknown-name" {
  const candidates = place.places.find(place.hostname);
  const placed = openFirst(candidates, place);
  if (!placed) return candidates.length === 0 ? "unknown-name" : "full";
  awaitAnswer(visitor, placed, place);
  return "forwarded";
}

/** A stream on the first link that has room, with the opening written to it. */
export function openFirst(clients: readonly Place[], { opening, log, trace }: VisitorPlace): Placed | undefined {
  for (const client of clients) {
    try {
      const stream = client.link.openStream();
      // All of it goes out with the opening of the stream: nothing waits for the client.
      stream.cork();
      if (client.isRelay) stream.write(encodeHopHead("visitor", sizeOf(opening)));
      for (const bytes of opening) stream.write(bytes);
      stream.uncork();
      return { client, stream };
    } catch (reason) {
      log.debug({ trace, link: client.id, transport: client.link.kind }, PortholeError.from(reason).message);
    }
  }
  return undefined;
}

function sizeOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

/** The visitor stays paused in the meantime: it says nothing more before it has heard something. `tried` are places that have no client of that name. */
function awaitAnswer(
  visitor: VisitorConnection,
  placed: Placed,
  place: VisitorPlace,
  tried: readonly Place[] = [],
): void {
  const { client, stream } = placed;
  const { clock, log, trace } = place;
  let isSettled = false;
  let isTaken = client.isRelay !== true;
  let again: Timer | undefined;
  const stopWatching = client.link.onSilence((isSilent) => {
    if (isSilent) void moveOn();
  });
  stream.on("readable", onReadable);
  stream.on("close", onClose);
  // Where nobody gave a sign of life he is with one that may never do so.
  if (client.link.isSilent) void moveOn();

  function release(): void {
    isSettled = true;
    again?.cancel();
    stopWatching();
    stream.off("readable", onReadable);
    stream.off("close", onClose);
  }

  function onReadable(): void {
    if (isTaken) return settle();
    const verdict = readVerdict(stream);
    if (verdict === undefined) return;
    if (verdict !== "taken") return decline(({ instance }) => instance === client.instance);
    isTaken = true;
    if (stream.readableLength > 0) settle();
  }

  function onClose(): void {
    // A relay's link has ended, or the client's there, and the visitor has had nothing of either.
    if (client.isRelay) decline((other) => other === client);
    else settle();
  }

  function decline(isTheSame: (other: Place) => boolean): void {
    release();
    stream.destroy();
    if (visitor.destroyed) return;
    log.debug({ trace, link: client.id }, "A relay does not have the client");
    const found = place.places.find(place.hostname);
    const without = [...tried, client, ...found.filter(isTheSame)];
    const next = openFirst(
      found.filter((other) => !without.includes(other)),
      place,
    );
    if (next) awaitAnswer(visitor, next, place, without);
    else if (place.onDeclined) place.onDeclined();
    else visitor.destroy();
  }

  function settle(): void {
    if (isSettled) return;
    release();
    // It counts until the connection closes.
    if (!visitor.closed) for (const { traffic } of [client, client.account]) traffic.add(visitor);
    splice(visitor, client.account.throttled(stream), ({ error, brokenSide }) => {
      if (!error) return;
      const side = brokenSide === "left" ? "visitor" : "client";
      log.debug({ trace, link: client.id, client: client.clientId, code: error.code, side }, error.message);
    });
  }

  async function moveOn(): Promise<void> {
    for (const other of place.places.find(place.hostname)) {
      if (other === client || !(await other.link.probe())) continue;
      if (isSettled) return;
      const next = openFirst([other], place);
      if (!next) continue;
      log.debug({ trace, from: client.id, to: other.id }, "A visitor was led away from a silent link");
      release();
      stream.destroy();
      awaitAnswer(visitor, next, place, tried);
      return;
    }
    // Somebody may come, or come back.
    if (isSettled || visitor.destroyed || !client.link.isSilent) return;
    again?.cancel();
    again = clock.timer(linkLimits.linkSilence.suspectMs, () => void moveOn());
  }
}
