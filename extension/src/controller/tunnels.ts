import { rpcErrorData, type DaemonConnection, type TunnelSpec } from "@porthole/tunnel/rpc";
import type { ExposureList } from "./exposure-list.ts";

export interface TunnelsDeps {
  readonly list: ExposureList;
  /** The daemon that runs now, if one does. */
  readonly connection: () => DaemonConnection | undefined;
  /** Everything that a start needs. Resolves when this window may serve the name. */
  prepare(id: string, connection: DaemonConnection): Promise<TunnelSpec>;
  /** Starts have to wait: the window is away. */
  isAway(): boolean;
}

/** Which tunnels the present daemon was told to start. What is "on" in the list is started once; a failure becomes part of its state. */
export class Tunnels {
  readonly #deps: TunnelsDeps;
  #starts = new Map<string, Promise<void>>();

  constructor(deps: TunnelsDeps) {
    this.#deps = deps;
  }

  /** Resolves when the daemon has accepted the tunnel, rejects with why not. Undefined for one that was not started. */
  started(id: string): Promise<void> | undefined {
    return this.#starts.get(id);
  }

  /** Resolves when every start has settled. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#starts.values());
  }

  /** A new daemon knows nothing. */
  reset(): void {
    this.#starts = new Map();
    this.startWanted();
  }

  /** Starts what is on and was not started yet. */
  startWanted(): void {
    const connection = this.#deps.connection();
    if (!connection || this.#deps.isAway()) return;
    for (const { id } of this.#deps.list.on) if (!this.#starts.has(id)) this.#start(connection, id);
  }

  /** Resolves when the daemon has ended the tunnel. A start that is under way comes to nothing. */
  async stop(id: string): Promise<void> {
    this.#starts.delete(id);
    // Before anything is waited for: it must not stop what is exposed again in between.
    await this.#deps
      .connection()
      ?.call("tunnel/stop", { id })
      .catch(() => {});
  }

  /** Forgets a start, so that the next one is a new one. */
  forget(id: string): void {
    this.#starts.delete(id);
  }

  /** True when the daemon knows the tunnel. */
  async isRunning(id: string): Promise<boolean> {
    const starting = this.#starts.get(id);
    await starting?.catch(() => {});
    return starting !== undefined && this.#starts.get(id) === starting && !this.#deps.list.find(id)?.error;
  }

  /** Stops the tunnel and starts it with what holds now. The start reports what is wrong, too. */
  async restart(id: string): Promise<void> {
    const before = this.#starts.get(id);
    await this.#deps
      .connection()
      ?.call("tunnel/stop", { id })
      .catch(() => {});
    const exposure = this.#deps.list.find(id);
    // It was restarted or stopped by somebody else in between.
    if (exposure?.phase !== "on" || this.#starts.get(id) !== before) return;
    this.#starts.delete(id);
    this.#deps.list.put({ ...exposure, tunnel: undefined, error: undefined });
    this.startWanted();
  }

  #start(connection: DaemonConnection, id: string): void {
    const { list } = this.#deps;
    const starting: Promise<void> = this.#startTunnel(connection, id, () => this.#starts.get(id) === starting);
    this.#starts.set(id, starting);
    starting.catch((reason: unknown) => {
      const exposure = list.find(id);
      if (exposure?.phase === "on" && this.#starts.get(id) === starting)
        list.put({ ...exposure, tunnel: undefined, error: rpcErrorData(reason) });
    });
  }

  /** `isWanted` is asked once all is there: keys take their time, and what was stopped in between must not start. */
  async #startTunnel(connection: DaemonConnection, id: string, isWanted: () => boolean): Promise<void> {
    const spec = await this.#deps.prepare(id, connection);
    if (isWanted()) await connection.call("tunnel/start", spec);
  }
}
