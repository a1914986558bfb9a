import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { Handlers } from "../server.ts";

/** A relay on loopback, in this process. */
export interface TrialRelay {
  readonly apiPort: number;
  readonly publicPort: number;
  readonly fingerprint: string;
  close(): Promise<void>;
}

/** Handed in by programs that carry a relay with them. `publicPort` 0 leaves the choice to the system. */
export type StartTrialRelay = (
  settings: { readonly publicPort: number; readonly stateDir: string },
  context: { readonly clock: Clock; readonly log: Logger },
) => Promise<TrialRelay>;

export interface TrialRelayContext {
  readonly start: StartTrialRelay | undefined;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Logger;
}

type TrialHandlers = Pick<Handlers, "trialRelay/start" | "trialRelay/stop">;

/** Runs the trial relay, at most one at a time. */
export function trialRelay(context: TrialRelayContext): { readonly handlers: TrialHandlers; close(): Promise<void> } {
  let running: Promise<TrialRelay> | undefined;
  const { start, stateDir, clock, log } = context;

  async function close(): Promise<void> {
    const relay = running;
    running = undefined;
    // One that did not start has nothing to close.
    await relay?.then(
      (started) => started.close(),
      () => {},
    );
  }

  return {
    close,
    handlers: {
      async "trialRelay/start"({ publicPort = 0 }) {
        if (!start)
          throw new PortholeError("unavailable", "This program carries no relay with it", {
            hint: "Run porthole-relay on this machine, and name 127.0.0.1:4433.",
          });
        const starting = (running ??= start({ publicPort, stateDir }, { clock, log }));
        const relay = await starting.catch((reason: unknown) => {
          if (running === starting) running = undefined;
          throw reason;
        });
        return {
          relay: { address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint, label: "trial" },
          publicPort: relay.publicPort,
        };
      },
      async "trialRelay/stop"() {
        await close();
        return {};
      },
    },
  };
}
