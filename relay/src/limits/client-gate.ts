import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import { dropChance } from "./early-drop.ts";
import { Penalties } from "./penalties.ts";
import type { LimitName, OnLimit, RelayLimits } from "./relay-limits.ts";
import { sourceOf } from "./source.ts";
import { Counter } from "./counter.ts";

/** One connection of a client, from its first byte to the end of its link. */
export interface PendingClient {
  /** Counts it as a link of this client from now on. Throws `busy` when the client, its source or the relay has too many. */
  admit(clientId: string): void;
  /** It has ended, or was refused; `error` says why. The first call counts. */
  end(error: PortholeError): void;
}

export interface ClientGateOptions {
  readonly clock: Clock;
  readonly limits: () => RelayLimits;
  readonly onLimit: OnLimit;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random?: () => number;
}

const retryAfterMs = 10_000;

/** Decides which clients' connections are worth a handshake, and how many links one may have. */
export class ClientGate {
  readonly #options: ClientGateOptions;
  readonly #penalties: Penalties;
  readonly #bySource = new Counter();
  readonly #byClient = new Counter();
  #pending = 0;
  #admitted = 0;

  constructor(options: ClientGateOptions) {
    this.#options = options;
    this.#penalties = new Penalties(options.clock, () => options.limits().maxPenaltyMs);
  }

  /** Connections that are not admitted yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether one more may come from there now; asked once for each connection. */
  admits(address: string | undefined): boolean {
    const { limits, onLimit, random = Math.random } = this.#options;
    const obstacle: LimitName | undefined = this.#penalties.isKeptOut(sourceOf(address))
      ? "penalty"
      : random() < dropChance(this.#pending, limits().pendingClients)
        ? "pending-clients"
        : undefined;
    if (obstacle) onLimit(obstacle);
    return obstacle === undefined;
  }

  /** A new connection that was let in. */
  enter(address: string | undefined): PendingClient {
    this.#pending += 1;
    return this.#pendingClient(sourceOf(address));
  }

  #pendingClient(source: string): PendingClient {
    let client: string | undefined;
    let isOver = false;
    return {
      admit: (clientId) => {
        this.#checkRoom(source, clientId);
        client = clientId;
        this.#pending -= 1;
        this.#admitted += 1;
        this.#bySource.add(source);
        this.#byClient.add(clientId);
      },
      end: (error) => {
        if (isOver) return;
        isOver = true;
        // An admitted one is punished for what no honest client does, not for leaving; and nobody who was asked to come again.
        const isDoing = client === undefined || error.code === "limit" || error.code === "protocol";
        if (isDoing && error.retryAfterMs === undefined) this.#penalties.add(source, error.code);
        if (client === undefined) {
          this.#pending -= 1;
          return;
        }
        this.#admitted -= 1;
        this.#bySource.remove(source);
        this.#byClient.remove(client);
      },
    };
  }

  #checkRoom(source: string, clientId: string): void {
    const { linksPerAddress, linksPerClient, maxLinks } = this.#options.limits();
    const room: readonly [LimitName, number, number, string][] = [
      ["links-per-client", linksPerClient, this.#byClient.of(clientId), "this client has"],
      ["links-per-address", linksPerAddress, this.#bySource.of(source), "your network has"],
      ["max-links", maxLinks, this.#admitted, "this relay has"],
    ];
    for (const [limit, max, present, who] of room) {
      if (max === 0 || present < max) continue;
      this.#options.onLimit(limit);
      throw new PortholeError("busy", `${who} ${present} links already, which is the limit`, { retryAfterMs });
    }
  }
}
