import { PortholeError } from "@porthole/common/errors";
import type { DaemonConnection, RelaySpec } from "@porthole/tunnel/rpc";
import type { ExposureList } from "./exposure-list.ts";
import { failureOf } from "./exposure.ts";
import type { Relay, Settings } from "./host.ts";
import type { Keys } from "./keys.ts";
import { RelayList } from "./relay-list.ts";
import type { Tunnels } from "./tunnels.ts";

export interface RelaysDeps {
  readonly settings: Settings;
  readonly keys: Keys;
  readonly list: ExposureList;
  readonly tunnels: Tunnels;
  /** The daemon that runs now, if one does. */
  readonly connection: () => DaemonConnection | undefined;
  readonly onChange: () => void;
  /** Keeps whether the trial relay is used over a reload. */
  readonly remember: () => Promise<void>;
}

/** The relays that ports are exposed on. A change moves what runs. */
export class Relays {
  readonly #deps: RelaysDeps;
  readonly #list: RelayList;

  constructor(deps: RelaysDeps) {
    this.#deps = deps;
    this.#list = new RelayList(deps.settings, deps.keys);
  }

  get configured(): readonly Relay[] {
    return this.#list.configured;
  }

  /** Trial mode: the relay inside the daemon's process is used instead of the configured ones. */
  get isTrial(): boolean {
    return this.#list.isTrial;
  }

  /** Restores the mode that the window had before a reload, when nothing runs yet. */
  restore(isTrial: boolean): void {
    this.#list.isTrial = isTrial;
  }

  /** Throws `usage` when the setting with the relays can't be read. */
  check(): void {
    if (!this.#list.isTrial) this.#list.check();
  }

  /** As the daemon takes them. Starts the trial relay in trial mode. */
  forTunnels(connection: DaemonConnection): Promise<readonly RelaySpec[]> {
    return this.#list.forTunnels(connection);
  }

  /** Ports move there, and trial mode ends. With `keepTrial` a window in trial mode stays in it, and so do its ports. */
  async add(relay: RelaySpec, { keepTrial = false } = {}): Promise<void> {
    await this.#list.add(relay);
    if (!keepTrial && this.#list.isTrial) await this.useTrial(false);
    else await this.apply();
  }

  /** Names a relay for the user's eyes; an empty label takes the name away. Its place among the others stays. */
  async label(address: string, label: string): Promise<void> {
    await this.#list.label(address, label);
    this.#deps.onChange();
  }

  async remove(address: string): Promise<void> {
    await this.#list.remove(address);
    await this.apply();
  }

  /** Enters trial mode, where ports have URLs for this machine only, or leaves it. What runs is restarted, with other certificates. */
  async useTrial(isTrial: boolean): Promise<void> {
    const hasChanged = this.#list.isTrial !== isTrial;
    this.#list.isTrial = isTrial;
    await this.#deps.remember();
    await this.apply({ restart: hasChanged });
  }

  /** The settings have changed: what runs moves to the relays that are named now. Rejects when something of it can't. */
  async apply({ restart = false } = {}): Promise<void> {
    const { list, tunnels, onChange } = this.#deps;
    onChange();
    const connection = this.#deps.connection();
    if (!connection || list.on.length === 0) return;
    const relays = await this.#list.forTunnels(connection);
    const move = async (id: string): Promise<void> => {
      const exposure = list.find(id);
      if (exposure?.phase !== "on") return;
      if (restart || relays.length === 0 || failureOf(exposure)) await tunnels.restart(id);
      else if (await tunnels.isRunning(id)) await connection.call("tunnel/update", { id, changes: { relays } });
    };
    await settleAll(list.on.map(({ id }) => move(id)));
  }

  /** Restarts what runs: a setting of it has changed, or a person does not want to wait for the next attempt. */
  async restart(ids: readonly string[] = this.#deps.list.on.map(({ id }) => id)): Promise<void> {
    await Promise.all(ids.map((id) => this.#deps.tunnels.restart(id)));
  }
}

/** Waits for all, then throws the first reason, if there is one. */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
  if (failed) throw PortholeError.from(failed.reason);
}
