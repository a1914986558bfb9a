import { PortholeError } from "@porthole/common/errors";
import type { InspectorChanges } from "../../inspector/index.ts";
import { asData } from "../contract/as-data.ts";
import type {
  EndpointView,
  TunnelChanges,
  TunnelInfo,
  TunnelSpec,
  TunnelStateView,
  RequestView,
  VisitView,
} from "../contract/index.ts";
import type { VisitorPolicy } from "./visitor-policy.ts";
import { LeaseWatch, type Lease } from "./lease-watch.ts";
import { RunningTunnel, type Subject, type TunnelContext } from "./running-tunnel.ts";

const maxTunnels = 100;

export interface TunnelsOptions extends Omit<
  TunnelContext,
  "assertFree" | "onState" | "onVisit" | "onRequest" | "onInspect"
> {
  readonly onState: (id: string, state: TunnelStateView) => void;
  readonly onVisit: (id: string, visit: VisitView) => void;
  readonly onRequest: (id: string, request: RequestView) => void;
  readonly onInspect: (id: string, changes: InspectorChanges) => void;
}

/** The caller's tunnels by id. Changes are made one after the other, in the order in which they were asked for. */
export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #tunnels = new Map<string, RunningTunnel>();
  readonly #leases: LeaseWatch;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: TunnelsOptions) {
    this.#options = options;
    this.#leases = new LeaseWatch({
      clock: options.clock,
      leases: () => [...this.#tunnels].flatMap(([id, { lease }]) => (lease ? [[id, lease] as const] : [])),
      onLost: (id, lease) => void this.#stopLost(id, lease).catch(() => {}),
    });
  }

  list(): readonly TunnelInfo[] {
    return [...this.#tunnels.values()].map(({ info }) => info);
  }

  subject(id: string, role: EndpointView["role"]): Subject {
    return this.#get(id).subject(role);
  }

  policy(id: string): VisitorPolicy {
    return this.#get(id).policy;
  }

  /** The primary endpoint's. */
  urls(id: string): readonly string[] {
    return this.#get(id).info.state.endpoints[0]?.urls ?? [];
  }

  /** Throws `usage` when there is no such tunnel. */
  assertThere(id: string): void {
    this.#get(id);
  }

  /** Throws `usage` when a tunnel, other than the one that is excepted, exposes this identity. */
  assertFree(clientId: string, exceptId?: string): void {
    for (const [id, tunnel] of this.#tunnels)
      if (id !== exceptId && tunnel.exposes(clientId))
        throw new PortholeError("usage", `The tunnel ${JSON.stringify(id)} has this identity (${clientId})`, {
          hint: "An identity is one public name: give each tunnel its own.",
        });
  }

  start(spec: TunnelSpec): Promise<TunnelInfo> {
    return this.#inTurn(async () => {
      const present = this.#tunnels.get(spec.id);
      if (present && !present.isOver)
        throw new PortholeError("usage", `The tunnel ${JSON.stringify(spec.id)} is running`, {
          hint: "Stop it first, or change it with tunnel/update.",
        });
      if (!present && this.#tunnels.size >= maxTunnels)
        throw new PortholeError("limit", `${maxTunnels} tunnels are there`, { hint: "Stop one first." });
      const tunnel = await RunningTunnel.start(spec, this.#context(spec.id));
      this.#tunnels.set(spec.id, tunnel);
      await present?.policy.close();
      this.#leases.wake();
      return tunnel.info;
    });
  }

  update(id: string, changes: TunnelChanges): Promise<TunnelInfo> {
    return this.#inTurn(async () => {
      const tunnel = this.#get(id);
      await tunnel.update(changes);
      this.#leases.wake();
      return tunnel.info;
    });
  }

  stop(id: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#get(id).stop();
      this.#tunnels.delete(id);
    });
  }

  /** Stops all, and starts no more. */
  close(): Promise<void> {
    this.#leases.close();
    const closed = this.#inTurn(async () => {
      await Promise.all([...this.#tunnels.values()].map((tunnel) => tunnel.stop({ keeps: true })));
      this.#tunnels.clear();
    });
    this.#isClosed = true;
    return closed;
  }

  /** The lease's new holder serves the name. A tunnel that was restarted in between has another lease. */
  #stopLost(id: string, { holder }: Lease): Promise<void> {
    return this.#inTurn(async () => {
      const tunnel = this.#tunnels.get(id);
      if (tunnel?.lease?.holder !== holder) return;
      this.#options.log.warn({ tunnel: id }, "Another process took the tunnel over; it stops here");
      await tunnel.stop();
      this.#tunnels.delete(id);
    });
  }

  #get(id: string): RunningTunnel {
    const tunnel = this.#tunnels.get(id);
    if (tunnel) return tunnel;
    throw new PortholeError("usage", `There is no tunnel ${JSON.stringify(id)}`, {
      hint: "tunnel/list says which there are.",
    });
  }

  #context(id: string): TunnelContext {
    const { onState, onVisit, onRequest, onInspect } = this.#options;
    return {
      ...this.#options,
      assertFree: (clientId) => this.assertFree(clientId, id),
      onState: (state) => onState(id, state),
      onVisit: (report) => onVisit(id, asData(report)),
      onRequest: (report) => onRequest(id, asData(report)),
      onInspect: (changes) => onInspect(id, changes),
    };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new PortholeError("closed", "The daemon is about to end");
    const before = this.#turn;
    const mine = (async () => {
      await before.catch(() => {});
      return work();
    })();
    this.#turn = mine;
    return mine;
  }
}
