import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { RelayConfig } from "../config/config.ts";
import type { HttpListener } from "../listeners/http-listener.ts";
import { openAdmin } from "../monitoring/admin.ts";
import { Events } from "../monitoring/events.ts";
import { EventsWebhook } from "../monitoring/events-webhook.ts";
import type { Operations } from "../monitoring/operate.ts";
import type { Serving } from "./serving.ts";
import { Supervisor } from "./supervisor.ts";

export interface WorkersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly operations: Operations;
}

/** A relay in several processes. */
export interface Workers extends Serving {
  /** See Supervisor.reload. The workers read the configuration themselves. */
  reload(config: RelayConfig): Promise<readonly string[]>;
}

/** Starts the workers, and opens here what there may be once only: monitoring, and the events. Rejects as `startRelay`. */
export async function startWorkers(first: RelayConfig, { clock, log, operations }: WorkersOptions): Promise<Workers> {
  const stop = new AbortController();
  const { signal } = stop;
  let config = first;
  let isEnding = false;
  const webhook = config.eventsWebhook && new EventsWebhook(config.eventsWebhook, { clock, log });
  const events = new Events(clock, webhook && ((event) => webhook.add(events.run, event)));
  let supervisor: Supervisor | undefined;
  let admin: HttpListener | undefined;
  async function close(): Promise<void> {
    isEnding = true;
    stop.abort(new PortholeError("draining", "The relay stops"));
    await admin?.close();
    await supervisor?.close();
    await webhook?.close();
  }
  try {
    supervisor = await Supervisor.start({
      ...{ count: config.workers, clock, log, events },
      introduces: config.cluster === undefined,
      drainMs: () => config.limits.drainMs,
      adminPort: () => admin?.port,
    });
    const running = supervisor;
    if (config.admin)
      admin = await openAdmin({
        ...{ ...config.admin, clock, signal, operations },
        metrics: () => running.metrics(),
        report: () => running.report(),
        notReady: () => (isEnding ? "draining" : undefined),
      });
    const { apiPort, publicPort, alpnPort, httpPort, fingerprint, quicUnavailable } = running.facts;
    return {
      ...{ apiPort, publicPort, alpnPort, httpPort, fingerprint, quicUnavailable, adminPort: admin?.port },
      report: () => running.report(),
      events: (position) => running.events(position),
      disconnect: (key) => running.disconnect(key),
      unblock: (address) => running.unblock(address),
      async reload(now) {
        const settings = await running.reload();
        config = now;
        return settings;
      },
      async drain(impatience) {
        isEnding = true;
        await running.drain(impatience);
      },
      close,
    };
  } catch (reason) {
    await close();
    throw reason;
  }
}
