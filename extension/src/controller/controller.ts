import { PortholeError } from "@porthole/common/errors";
import {
  rpcErrorData,
  type AccessSpec,
  type DaemonConnection,
  type LogLine,
  type Method,
  type RelaySpec,
  type Requests,
  type TunnelStateView,
} from "@porthole/tunnel/rpc";
import type { Clock, Timer } from "@porthole/common/util";
import { localOf, type PortTarget } from "../ports/index.ts";
import { DaemonSupervisor, type DaemonStatus, type RunningDaemon } from "./daemon-supervisor.ts";
import { exposureId, failureOf, type Exposure } from "./exposure.ts";
import { Keys } from "./keys.ts";
import type { Relay, Secrets, Settings, Workspace, WorkspaceStore } from "./host.ts";
import { Questions, type GivenKey } from "./questions.ts";
import { RelayList } from "./relay-list.ts";
import { readRemembered, remember, resumes } from "./remembered.ts";
import { tunnelSpec } from "./tunnel-spec.ts";

export interface ControllerDeps {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly store: WorkspaceStore;
  readonly workspace: Workspace;
  /** Starts the daemon's process, with the key that relays know this person by. */
  startDaemon(ownerPem: string, signal: AbortSignal): Promise<RunningDaemon>;
  /** A new daemon is there: what other parts have to tell it. */
  onDaemon?(daemon: RunningDaemon): void;
  onLog(line: LogLine): void;
  readonly random?: () => number;
}

export interface ControllerState {
  readonly daemon: DaemonStatus;
  readonly exposures: readonly Exposure[];
  readonly relays: readonly Relay[];
  /** The relay inside the daemon's process is used instead of the configured ones. */
  readonly isTrial: boolean;
}

/** How often a window notes that it is still there. */
const seenEveryMs = 60_000;

/**
 * What is exposed in this window, and what is to become of it. Knows no editor: surfaces paint its state and call its
 * methods, which reject with a `PortholeError` whose message can be shown.
 */
export class Controller {
  readonly keys: Keys;
  readonly ask: Questions;
  readonly #deps: ControllerDeps;
  readonly #daemon: DaemonSupervisor;
  readonly #relays: RelayList;
  readonly #listeners = new Set<(state: ControllerState) => void>();
  #exposures: readonly Exposure[] = [];
  /** Which tunnels the present daemon was told to start. */
  #starts = new Map<string, Promise<void>>();
  #seen: Timer | undefined;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    this.keys = new Keys(deps.secrets);
    this.ask = new Questions(() => this.daemon(), this.keys);
    this.#relays = new RelayList(deps.settings, this.keys);
    this.#daemon = new DaemonSupervisor({
      clock: deps.clock,
      start: async (signal) => deps.startDaemon(await this.keys.owner(), signal),
      onRunning: (daemon) => this.#onDaemon(daemon),
      onStatus: () => this.#changed(),
      ...(deps.random ? { random: deps.random } : {}),
    });
  }

  get state(): ControllerState {
    const { configured: relays, isTrial } = this.#relays;
    return { daemon: this.#daemon.status, exposures: this.#exposures, relays, isTrial };
  }

  /** Calls back after each change; answers what ends that. */
  onChange(listener: (state: ControllerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  find(id: string): Exposure | undefined {
    return this.#exposures.find((each) => each.id === id);
  }

  /** The identity of a port, whether it is exposed or not. */
  idOf(target: PortTarget): string {
    return exposureId(this.#deps.workspace.folder, target);
  }

  /** What the window had when it was last open: goes on, or waits for a click. Called once, at the start. */
  async resume(): Promise<void> {
    const { clock, settings, store, workspace } = this.#deps;
    const remembered = readRemembered(store.get());
    if (!remembered) return;
    this.#relays.isTrial = remembered.trial;
    const { isTrusted } = workspace;
    const goesOn = resumes(remembered, settings.get("porthole.resume"), { isTrusted, now: clock.now() });
    this.#exposures = remembered.exposures.map(({ id, target, secondary, isOn }) => ({
      ...blank(id, target),
      secondary,
      phase: isOn && goesOn ? "on" : "off",
    }));
    this.#changed();
    if (!this.#isAnyOn()) return;
    await this.#daemon.daemon();
    await Promise.allSettled(this.#starts.values());
  }

  /** Exposes the port, anew when it was refused; one that is exposed stays as it is. Rejects when it can't be; it stays in the list then. */
  async expose(target: PortTarget): Promise<void> {
    const id = this.idOf(target);
    const known = this.find(id);
    if (known?.phase === "on" && !failureOf(known)) return this.#starts.get(id);
    this.#starts.delete(id);
    this.#put({ ...blank(id, target), secondary: known?.secondary, phase: "on" });
    await this.#remember();
    await this.#daemon.daemon();
    await this.#starts.get(id);
  }

  async stop(id: string): Promise<void> {
    this.#put({ ...this.#known(id), phase: "off", tunnel: undefined, error: undefined });
    this.#starts.delete(id);
    // Before anything is waited for: it must not stop what is exposed again meanwhile.
    const stopped = this.#daemon.connection?.call("tunnel/stop", { id }).catch(() => {});
    await this.#remember();
    await stopped;
  }

  /** Takes a stopped one off the list. Its key stays, so that the next time it has the same name. */
  async remove(id: string): Promise<void> {
    if (this.find(id)?.phase === "on") await this.stop(id);
    this.#exposures = this.#exposures.filter((each) => each.id !== id);
    this.#changed();
    await this.#remember();
  }

  async addSecondary(id: string, local?: string): Promise<void> {
    const exposure = this.#known(id);
    const secondary = { local: local ?? localOf(exposure.target) };
    const identity = { pem: await this.keys.secondary(id) };
    await this.#call("tunnel/update", { id, changes: { secondary: { identity, local: secondary.local } } });
    this.#put({ ...this.#known(id), secondary });
    await this.#remember();
  }

  async removeSecondary(id: string): Promise<void> {
    const { phase } = this.#known(id);
    this.#put({ ...this.#known(id), secondary: undefined });
    await this.#remember();
    if (phase === "on") await this.#call("tunnel/update", { id, changes: { secondary: null } });
  }

  /** Who may visit from now on; everyone when `undefined`. Kept for the port, also when it is exposed again. */
  async protect(id: string, access: AccessSpec | undefined): Promise<void> {
    if (this.#known(id).phase === "on") await this.#call("tunnel/update", { id, changes: { access: access ?? null } });
    await this.keys.keepAccess(id, access);
  }

  /** Throws `usage` when the setting with the relays can't be read. */
  checkRelays(): void {
    if (!this.#relays.isTrial) this.#relays.check();
  }

  async addRelay(relay: RelaySpec): Promise<void> {
    await this.#relays.add(relay);
    await this.#remember();
    await this.useRelays();
  }

  async removeRelay(address: string): Promise<void> {
    await this.#relays.remove(address);
    await this.useRelays();
  }

  /** From now on ports are exposed on a relay of this machine, for this machine. */
  async useTrialRelay(): Promise<void> {
    this.#relays.isTrial = true;
    await this.#remember();
    await this.useRelays();
  }

  /** The settings have changed: what runs moves to the relays that are named now. Rejects when something of it can't. */
  async useRelays(): Promise<void> {
    this.#changed();
    const { connection } = this.#daemon;
    if (!connection || !this.#isAnyOn()) return;
    const relays = await this.#relays.forTunnels(connection);
    const move = async (id: string): Promise<void> => {
      const exposure = this.find(id);
      if (exposure?.phase !== "on") return;
      if (relays.length === 0 || failureOf(exposure)) await this.#startAgain(connection, id);
      else if (await this.#hasStarted(id)) await connection.call("tunnel/update", { id, changes: { relays } });
    };
    const moves = await Promise.allSettled(this.#exposures.map(({ id }) => move(id)));
    const failed = moves.find((result) => result.status === "rejected");
    if (failed) throw PortholeError.from(failed.reason);
  }

  /** Relays are reached in another way now: what runs starts anew, under the same names. */
  useProxy(): Promise<void> {
    return this.#daemon.replace();
  }

  /** The daemon knows the tunnel. */
  async #hasStarted(id: string): Promise<boolean> {
    const starting = this.#starts.get(id);
    await starting?.catch(() => {});
    return starting !== undefined && this.#starts.get(id) === starting && !this.find(id)?.error;
  }

  /** What has ended, or must not go on. The start says why it can't be, too. */
  async #startAgain(connection: DaemonConnection, id: string): Promise<void> {
    const before = this.#starts.get(id);
    await connection.call("tunnel/stop", { id }).catch(() => {});
    const exposure = this.find(id);
    // Somebody else has done it meanwhile, or it is not wanted any more.
    if (exposure?.phase !== "on" || this.#starts.get(id) !== before) return;
    this.#starts.delete(id);
    this.#put({ ...exposure, tunnel: undefined, error: undefined });
  }

  /** The port has the name of this key from now on. The one that it had is lost. */
  async replaceIdentity(id: string, { pem }: GivenKey): Promise<void> {
    await this.keys.replaceIdentity(id, pem);
    if (this.find(id)?.phase === "on")
      await this.#call("tunnel/update", { id, changes: { primary: { identity: { pem } } } });
  }

  /** For what only some surfaces need of the daemon. Starts it. */
  async daemon(): Promise<DaemonConnection> {
    return (await this.#daemon.daemon()).connection;
  }

  /** Ends the daemon and with it every tunnel. What was on is remembered. */
  async close(): Promise<void> {
    this.#seen?.cancel();
    this.#listeners.clear();
    await this.#daemon.close();
  }

  async #call<M extends Method>(method: M, params: Requests[M][0]): Promise<Requests[M][1]> {
    return (await this.daemon()).call(method, params);
  }

  #known(id: string): Exposure {
    const exposure = this.find(id);
    if (!exposure) throw new PortholeError("usage", `Nothing is exposed as ${id}`);
    return exposure;
  }

  #isAnyOn(): boolean {
    return this.#exposures.some(({ phase }) => phase === "on");
  }

  #put(exposure: Exposure): void {
    const isNew = !this.find(exposure.id);
    this.#exposures = isNew
      ? [...this.#exposures, exposure]
      : this.#exposures.map((each) => (each.id === exposure.id ? exposure : each));
    const { connection } = this.#daemon;
    if (connection && exposure.phase === "on" && !this.#starts.has(exposure.id)) this.#start(connection, exposure.id);
    this.#changed();
  }

  /** A new daemon knows nothing of what is exposed. */
  #onDaemon(daemon: RunningDaemon): void {
    const { connection } = daemon;
    connection.on("tunnel/state", ({ id, state }) => this.#onTunnel(id, state));
    connection.on("tunnel/visit", ({ id }) => this.#onVisit(id));
    connection.on("log", (line) => this.#deps.onLog(line));
    this.#deps.onDaemon?.(daemon);
    this.#starts = new Map();
    this.#exposures = this.#exposures.map((each) => ({ ...each, tunnel: undefined, error: undefined }));
    for (const { id, phase } of this.#exposures) if (phase === "on") this.#start(connection, id);
    this.#changed();
  }

  #start(connection: DaemonConnection, id: string): void {
    const starting: Promise<void> = this.#startTunnel(connection, id, () => this.#starts.get(id) === starting);
    this.#starts.set(id, starting);
    // Whoever asked for it hears of it; here it is part of the state.
    starting.catch((reason: unknown) => {
      const exposure = this.find(id);
      if (exposure?.phase === "on" && this.#starts.get(id) === starting)
        this.#put({ ...exposure, tunnel: undefined, error: rpcErrorData(reason) });
    });
  }

  /** `isWanted` is asked once all is there: keys may take their time, and the daemon must not start what was stopped meanwhile. */
  async #startTunnel(connection: DaemonConnection, id: string, isWanted: () => boolean): Promise<void> {
    const relays = await this.#relays.forTunnels(connection);
    if (relays.length === 0)
      throw new PortholeError("usage", "No relay is configured", {
        hint: "Join one, add one, or try it without a relay.",
      });
    const spec = await tunnelSpec(this.#known(id), { keys: this.keys, settings: this.#deps.settings, relays });
    if (!isWanted()) return;
    const acme = this.#relays.isTrial ? { enabled: false } : spec.acme;
    await connection.call("tunnel/start", { ...spec, ...(acme ? { acme } : {}) });
  }

  #onTunnel(id: string, tunnel: TunnelStateView): void {
    const exposure = this.find(id);
    // What has just been stopped, or could not be started, may still have been said.
    if (exposure?.phase !== "on" || exposure.error) return;
    this.#put({ ...exposure, tunnel });
    for (const { address, now } of tunnel.endpoints.flatMap(({ relays }) => relays))
      if (now.status === "online") void this.keys.forgetToken(address).catch(() => {});
  }

  #onVisit(id: string): void {
    const exposure = this.find(id);
    if (exposure) this.#put({ ...exposure, lastVisitAt: this.#deps.clock.now() });
  }

  async #remember(): Promise<void> {
    const { store, clock } = this.#deps;
    this.#seen?.cancel();
    if (this.#isAnyOn()) this.#seen = clock.timer(seenEveryMs, () => void this.#remember().catch(() => {}));
    await store.set(remember(this.#exposures, this.#relays.isTrial, clock.now()));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener(this.state);
  }
}

function blank(id: string, target: PortTarget): Exposure {
  return {
    id,
    target,
    secondary: undefined,
    phase: "off",
    tunnel: undefined,
    error: undefined,
    lastVisitAt: undefined,
  };
}
