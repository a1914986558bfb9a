import { limits } from "./limits.ts";
import { isServing, type LinkSlot } from "./link-slot.ts";
import type { Session } from "./session.ts";
import type { ExposedName } from "./session-names.ts";
import { onlineStatus, type RelayStatus } from "./state.ts";
import type { Decision } from "./transport-choice.ts";

export interface LinkFacts {
  readonly slots: Iterable<LinkSlot>;
  /** What is there as long as the relay is: what QUIC is doing in the meantime is nobody's news. */
  readonly first: LinkSlot | undefined;
  readonly decision: Decision;
}

/** How a set of links serves one key, by the name that the key has on a link; undefined where it has none. */
export function linkSetStatus(
  { slots, first, decision }: LinkFacts,
  nameOn: (session: Session) => ExposedName | undefined,
): RelayStatus {
  const { connection, whyNotQuic } = decision;
  const online = [...slots].flatMap((slot) => {
    const { state, phase } = slot;
    if (state.status !== "online" || (phase !== "kept" && state.session.link.isSilent)) return [];
    const name = nameOn(state.session);
    return name ? [{ slot, name, session: state.session }] : [];
  });
  const best = online.find(({ slot }) => slot.transport === connection && isServing(slot)) ?? online[0];
  if (best) {
    const otherProcesses = Math.max(...online.map(({ name }) => name.others));
    return onlineStatus(best.session, { ...best.name, links: online.length, otherProcesses, whyNotQuic });
  }
  const state = first?.state;
  // Attempts and pauses alternate several times a second then.
  if (state?.status === "connecting" && state.redialOf)
    return { status: "waiting", delayMs: limits.redial.maxMs, error: state.redialOf };
  if (state?.status !== "waiting") return { status: "connecting" };
  const { delayMs, error, attempts } = state;
  return { status: "waiting", delayMs, error, ...(attempts >= limits.attemptsBeforeDoctor ? { hint: "doctor" } : {}) };
}
