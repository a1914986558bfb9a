import { sleep, type Clock } from "@porthole/common/util";

const lookEveryMs = 100;
/** The part of the time in which new visitors are let in; who comes last has the rest. */
const openPart = 2 / 3;

export interface Draining {
  readonly clock: Clock;
  readonly delayMs: number;
  /** The number of the last visitor who came, and of the one who has been here for longest; undefined when nobody is here. */
  readonly visitors: { readonly lastNumber: number; readonly oldest: number | undefined };
  /** Takes no more visitors. */
  readonly shut: () => void;
}

/**
 * Lets visitors finish. New ones are let in until the first ones have gone: a relay that is alone is away for as
 * short as possible, and where there are several, names lead elsewhere in the meantime. Resolves when nobody is here any more, or at the
 * end of the time, or with the signal.
 */
export async function drain({ clock, delayMs, visitors, shut }: Draining, signal: AbortSignal): Promise<void> {
  const startedAt = clock.monotonic();
  const { lastNumber } = visitors;
  await waitUntil(() => (visitors.oldest ?? Number.POSITIVE_INFINITY) > lastNumber, delayMs * openPart);
  shut();
  await waitUntil(() => visitors.oldest === undefined, delayMs);

  async function waitUntil(isSo: () => boolean, withinMs: number): Promise<void> {
    while (!isSo() && !signal.aborted && clock.monotonic() - startedAt < withinMs)
      await sleep(clock, lookEveryMs, signal).catch(() => {});
  }
}
