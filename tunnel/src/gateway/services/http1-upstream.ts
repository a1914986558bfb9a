import { limits } from "../limits.ts";
import type { Clock, Timer } from "@porthole/common/util";
import type { ForwardedHead, ServiceTarget } from "../../http/index.ts";
import { Http1Call } from "./http1-call.ts";
import { ServiceConnection } from "./service-connection.ts";
import { Turns } from "./turns.ts";
import { visitorLeft, type SendInit, type Upstream, type UpstreamCall } from "./upstream.ts";

/** Requests that may be sent twice without asking (RFC 9110 section 9.2.1). */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH"]);

/** Whether the gateway may send it again when the service has closed the connection in the meantime. */
export function isRepeatable(method: string, hasBody: boolean): boolean {
  return !hasBody && safeMethods.has(method);
}

/**
 * The connections of one visitor's connection to a service that speaks HTTP/1.1, with or without TLS. A service may close an unused connection
 * at the moment of the next request, so what can't be repeated gets a fresh one, as it would from a browser that retries.
 */
export class Http1Upstream implements Upstream {
  readonly #service: ServiceTarget;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #stop = new AbortController();
  readonly #all = new Set<ServiceConnection>();
  #free: ServiceConnection[] = [];
  #sweep: Timer | undefined;

  constructor(service: ServiceTarget, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#turns = new Turns(clock);
  }

  turn(): Promise<void> | undefined {
    return this.#turns.next();
  }

  send(head: ForwardedHead, init: SendInit): UpstreamCall {
    const isUpgrade = init.upgrade !== undefined;
    const free = isUpgrade ? undefined : this.#takeFree(isRepeatable(head.method, init.body !== "none"));
    this.#turns.take();
    const call = new Http1Call(head, init, free !== undefined, () => this.#turns.giveBack());
    (free ?? this.#connect(isUpgrade)).run(call);
    return call;
  }

  close(): void {
    this.#sweep?.cancel();
    this.#stop.abort(visitorLeft);
    this.#turns.end();
    for (const connection of this.#all) connection.destroy();
  }

  #takeFree(canRepeat: boolean): ServiceConnection | undefined {
    const last = this.#free.at(-1);
    return last && (canRepeat || last.isBound) ? this.#free.pop() : undefined;
  }

  #connect(isUpgrade: boolean): ServiceConnection {
    const connection = new ServiceConnection({
      ...{ service: this.#service, clock: this.#clock, signal: this.#stop.signal, isUpgrade },
      onFree: (free) => this.#keep(free),
      onGone: (gone) => {
        this.#all.delete(gone);
        this.#free = this.#free.filter((free) => free !== gone);
      },
    });
    this.#all.add(connection);
    return connection;
  }

  /** The newest is used next; those that nobody needs are closed after a while. */
  #keep(connection: ServiceConnection): void {
    connection.freeSince = this.#clock.monotonic();
    this.#free.push(connection);
    this.#sweep ??= this.#clock.timer(limits.serviceIdleMs, () => this.#closeUnused());
  }

  #closeUnused(): void {
    this.#sweep = undefined;
    const before = this.#clock.monotonic() - limits.serviceIdleMs;
    for (const connection of this.#free)
      if (connection.freeSince <= before && !connection.isBound) connection.destroy();
    if (this.#free.length > 0) this.#sweep = this.#clock.timer(limits.serviceIdleMs, () => this.#closeUnused());
  }
}
