import type { EventsAnswer, EventsPosition } from "../monitoring/events.ts";
import type { RelayReport } from "../monitoring/report.ts";
import type { Relay } from "../running/relay.ts";

type Now<T> = T | Promise<T>;

/** A relay as the program around it sees it, in one process or in several. */
export interface Serving extends Pick<
  Relay,
  "apiPort" | "publicPort" | "alpnPort" | "httpPort" | "adminPort" | "fingerprint" | "quicUnavailable"
> {
  report(): Now<RelayReport>;
  events(position?: Partial<EventsPosition>): EventsAnswer;
  disconnect(key: string): Now<number>;
  unblock(address: string): Now<boolean>;
  drain(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
