import type { DaemonConnection, TunnelChanges } from "@porthole/tunnel/rpc";
import { localOf } from "../ports/index.ts";
import type { ExposureList } from "./exposure-list.ts";
import type { Keys } from "./keys.ts";

export interface SecondaryDeps {
  readonly keys: Keys;
  readonly list: ExposureList;
  /** The daemon; starts it. */
  readonly daemon: () => Promise<DaemonConnection>;
  /** Keeps the list over a reload. */
  readonly remember: () => Promise<void>;
}

/** The second name of a port, with a self-signed certificate that clients can pin. */
export class Secondary {
  readonly #deps: SecondaryDeps;

  constructor(deps: SecondaryDeps) {
    this.#deps = deps;
  }

  /** `local`: the service that it leads to; the port's own when absent. */
  async add(id: string, local?: string): Promise<void> {
    const { keys, list, remember } = this.#deps;
    const secondary = { local: local ?? localOf(list.known(id).target) };
    const identity = { pem: await keys.secondary(id) };
    await this.#update(id, { secondary: { identity, local: secondary.local } });
    list.put({ ...list.known(id), secondary });
    await remember();
  }

  async remove(id: string): Promise<void> {
    const { list, remember } = this.#deps;
    const exposure = list.known(id);
    list.put({ ...exposure, secondary: undefined });
    await remember();
    if (exposure.phase === "on") await this.#update(id, { secondary: null });
  }

  async #update(id: string, changes: TunnelChanges): Promise<void> {
    await (await this.#deps.daemon()).call("tunnel/update", { id, changes });
  }
}
