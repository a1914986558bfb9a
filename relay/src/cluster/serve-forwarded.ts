import { PortholeError } from "@porthole/common/errors";
import type { LinkStream } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import { alpn, decodeProxyHeader, type ProxyHeader } from "@porthole/common/protocol";
import { deadline, type Clock } from "@porthole/common/util";
import type { VisitorGate } from "../limits/index.ts";
import type { Traffic } from "../monitoring/traffic.ts";
import { placeChallenge } from "../visitors/challenge-placement.ts";
import type { Places } from "../visitors/place.ts";
import { placeVisitor, type VisitorPlace } from "../visitors/placement.ts";
import { encodeVerdict, readOpening, type Verdict } from "./hop-wire.ts";
import { limits } from "./limits.ts";
import type { LinkBus } from "./link-bus.ts";
import { shortNode } from "./peer.ts";

export interface ForwardedDeps {
  /** This relay's own clients: nobody is led to a third relay. */
  readonly local: Places;
  readonly gate: VisitorGate;
  readonly bus: LinkBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Counts what came from this relay. */
  readonly traffic: Traffic;
  readonly signal: AbortSignal;
}

/** A stream that another relay has opened: a visitor of a client that is here, or that relay's ear. Never rejects. */
export async function serveForwarded(stream: LinkStream, from: string, deps: ForwardedDeps): Promise<void> {
  const { signal, release } = deadline(deps.clock, limits.openingMs, "A relay's opening of a stream", deps.signal);
  stream.on("error", () => {});
  try {
    const { kind, opening } = await readOpening(stream, signal);
    if (kind === "bus") deps.bus.listen(from, stream);
    else leadOn(stream, opening, from, deps);
  } catch (reason) {
    const error = PortholeError.from(reason);
    deps.log.debug({ relay: shortNode(from), code: error.code }, error.message);
    stream.destroy(error);
  } finally {
    release();
  }
}

function leadOn(stream: LinkStream, opening: Buffer, from: string, deps: ForwardedDeps): void {
  const { local, gate, clock, log } = deps;
  const header = decodeProxyHeader(opening)?.header;
  if (header?.authority === undefined) throw new PortholeError("protocol", "A relay's visitor asks for no name");
  const { authority: hostname, uniqueId: trace = "-" } = header;
  if (local.find(hostname).length === 0) return decline(stream, "unknown-name");
  const slot = gate.enter(header.source?.address, () => stream.destroy());
  slot.heard();
  stream.on("close", () => slot.left());
  if (!slot.mayVisit(hostname)) return decline(stream, "limited");
  deps.traffic.add(stream);
  const take = (): void => void stream.write(encodeVerdict("taken"));
  const place: VisitorPlace = { ...{ hostname, opening: [opening], clock, log, trace }, places: local };
  log.debug({ trace, relay: shortNode(from) }, "A relay leads a visitor here");
  if (isChallenge(header)) {
    // Taken when a process has the challenge: otherwise another relay's may.
    if (placeChallenge(stream, { ...place, onAnswered: take }) !== "forwarded") decline(stream, "full");
    return;
  }
  const outcome = placeVisitor(stream, place);
  if (outcome === "forwarded") take();
  else decline(stream, outcome);
}

function isChallenge(header: ProxyHeader): boolean {
  return header.alpn === alpn.acmeChallenge;
}

/** The other relay asks elsewhere; nothing was said to the visitor yet. */
function decline(stream: LinkStream, verdict: Exclude<Verdict, "taken">): void {
  stream.end(encodeVerdict(verdict), () => stream.destroy());
}
