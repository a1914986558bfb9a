import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { splice, type LinkStream } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import type { Clock, Timer } from "@porthole/common/util";
import type { ClientLink, Registry } from "../clients/registry.ts";
import { linkLimits } from "@porthole/common/link";

export interface VisitorPlace {
  /** Canonical. */
  readonly hostname: string;
  /** What the client gets before anything else: the PROXY header and the ClientHello. */
  readonly opening: readonly Buffer[];
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  /** For the log. */
  readonly trace: string;
}

interface Placed {
  readonly client: ClientLink;
  readonly stream: LinkStream;
}

/**
 * Leads a visitor to the best link that has room; where the answer is another one, the socket is still the caller's. A link
 * that falls silent before the visitor has had a byte back is replaced by one that gives a sign of life: until then all that the
 * visitor has said is its ClientHello, and that can be said again.
 */
export function placeVisitor(socket: Socket, place: VisitorPlace): "forwarded" | "full" | "unknown-name" {
  const candidates = place.registry.find(place.hostname);
  const placed = openFirst(candidates, place);
  if (!placed) return candidates.length === 0 ? "unknown-name" : "full";
  awaitAnswer(socket, placed, place);
  return "forwarded";
}

/** A stream on the first link that has room, with the opening written to it. */
export function openFirst(clients: readonly ClientLink[], { opening, log, trace }: VisitorPlace): Placed | undefined {
  for (const client of clients) {
    try {
      const stream = client.link.openStream();
      // All of it goes out with the opening of the stream: nothing waits for the client.
      stream.cork();
      for (const bytes of opening) stream.write(bytes);
      stream.uncork();
      return { client, stream };
    } catch (reason) {
      log.debug({ trace, link: client.id, transport: client.link.kind }, PortholeError.from(reason).message);
    }
  }
  return undefined;
}

/** The socket stays paused in the meantime: a visitor says nothing more before it has heard something. */
function awaitAnswer(socket: Socket, { client, stream }: Placed, place: VisitorPlace): void {
  const { clock, log, trace } = place;
  let isSettled = false;
  let again: Timer | undefined;
  const stopWatching = client.link.onSilence((isSilent) => {
    if (isSilent) void moveOn();
  });
  stream.on("readable", settle);
  stream.on("close", settle);
  // Where nobody gave a sign of life he is with one that may never do so.
  if (client.link.isSilent) void moveOn();

  function release(): void {
    isSettled = true;
    again?.cancel();
    stopWatching();
    stream.off("readable", settle);
    stream.off("close", settle);
  }

  function settle(): void {
    if (isSettled) return;
    release();
    // It counts until the socket closes.
    if (!socket.closed) for (const { traffic } of [client, client.account]) traffic.add(socket);
    splice(socket, client.account.throttled(stream), ({ error, brokenSide }) => {
      if (!error) return;
      const side = brokenSide === "left" ? "visitor" : "client";
      log.debug({ trace, link: client.id, client: client.clientId, code: error.code, side }, error.message);
    });
  }

  async function moveOn(): Promise<void> {
    for (const other of place.registry.find(place.hostname)) {
      if (other === client || !(await other.link.probe())) continue;
      if (isSettled) return;
      const next = openFirst([other], place);
      if (!next) continue;
      log.debug({ trace, from: client.id, to: other.id }, "A visitor was led away from a silent link");
      release();
      stream.destroy();
      awaitAnswer(socket, next, place);
      return;
    }
    // Somebody may come, or come back.
    if (isSettled || socket.destroyed || !client.link.isSilent) return;
    again?.cancel();
    again = clock.timer(linkLimits.linkSilence.suspectMs, () => void moveOn());
  }
}
