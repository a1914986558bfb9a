import { setMaxListeners } from "node:events";

/** A signal that many requests at once listen to: before Node 24 more than ten are taken for a leak, and warned of. */
export function unlimitedListeners(signal: AbortSignal): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}
