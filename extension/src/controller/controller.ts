import type { AccessSpec, DaemonConnection, LogLine, Method, Requests, TunnelStateView } from "@porthole/tunnel/rpc";
import type { Clock } from "@porthole/common/util";
import type { PortTarget } from "../ports/index.ts";
import { DaemonSupervisor, type DaemonStatus, type RunningDaemon } from "./daemon-supervisor.ts";
import { blank, ExposureList } from "./exposure-list.ts";
import { exposureId, failureOf, type Exposure } from "./exposure.ts";
import { Identities } from "./identities.ts";
import { KeptRequests } from "./kept-requests.ts";
import { Keys } from "./keys.ts";
import type { Relay, Secrets, Settings, Workspace, WorkspaceStore } from "./host.ts";
import { Leases } from "./leases.ts";
import { Memory } from "./memory.ts";
import { Project } from "./project.ts";
import { Questions } from "./questions.ts";
import { Relays, settleAll } from "./relays.ts";
import { resumes } from "./remembered.ts";
import { Secondary } from "./secondary.ts";
import { Sharing, throwClaimError } from "./sharing.ts";
import { Tunnels } from "./tunnels.ts";
import { isOpen, prepareStart, type StartDeps } from "./tunnel-spec.ts";

export interface ControllerDeps {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly store: WorkspaceStore;
  /** Keeps which descriptions of the project the user has agreed to. */
  readonly projectStore: WorkspaceStore;
  readonly workspace: Workspace;
  /** Folder that all windows of this installation share, for leases. Made when it is missing. */
  readonly leaseFolder: string;
  /** Folder for requests that outlive a reload. Made when it is needed. */
  readonly requestsFolder: string;
  /** Resolves when the window has answered; one that is closed or asleep never does. */
  askWindow(): Promise<void>;
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

/**
 * What is exposed in this window, and what is to become of it. Knows no editor: the user interface shows its state and calls its
 * methods, which reject with a `PortholeError` whose message can be shown.
 */
export class Controller {
  readonly keys: Keys;
  readonly ask: Questions;
  readonly relays: Relays;
  readonly identities: Identities;
  readonly secondary: Secondary;
  readonly project: Project;
  readonly #deps: ControllerDeps;
  readonly #daemon: DaemonSupervisor;
  readonly #list = new ExposureList(() => this.#changed());
  readonly #listeners = new Set<(state: ControllerState) => void>();
  readonly #leases: Leases;
  readonly #tunnels: Tunnels;
  readonly #sharing: Sharing;
  readonly #memory: Memory;
  readonly #keptRequests: KeptRequests;
  readonly #startDeps: StartDeps;

  constructor(deps: ControllerDeps) {
    const { clock, settings, secrets, store } = deps;
    this.#deps = deps;
    this.keys = new Keys(secrets);
    this.ask = new Questions(() => this.daemon(), this.keys);
    this.#keptRequests = new KeptRequests({ folder: deps.requestsFolder, settings, keys: this.keys, clock });
    this.#leases = new Leases(deps.leaseFolder, clock);
    this.#tunnels = new Tunnels({
      list: this.#list,
      connection: () => this.#daemon.connection,
      prepare: (id, connection) => prepareStart(this.#startDeps, id, connection),
      isAway: () => this.#sharing.isAway,
    });
    this.#sharing = new Sharing({
      ...{ clock, leases: this.#leases, list: this.#list, tunnels: this.#tunnels },
      idPrefix: `${deps.workspace.folder}#`,
      askWindow: () => deps.askWindow(),
      replaceDaemon: () => this.#daemon.replace(),
      onResume: () => void this.#daemon.daemon().catch(() => {}),
      remember: () => this.#memory.keep(),
    });
    this.#memory = new Memory(store, clock, () => ({
      exposures: this.#list.all,
      isTrial: this.relays.isTrial,
      waiting: this.#sharing.waiting,
    }));
    this.relays = new Relays({
      ...{ settings, keys: this.keys, list: this.#list, tunnels: this.#tunnels },
      connection: () => this.#daemon.connection,
      onChange: () => this.#changed(),
      remember: () => this.#memory.keep(),
    });
    this.identities = new Identities({
      ...{ keys: this.keys, list: this.#list, tunnels: this.#tunnels, leases: this.#leases },
      daemon: () => this.daemon(),
    });
    this.secondary = new Secondary({
      ...{ keys: this.keys, list: this.#list, daemon: () => this.daemon() },
      remember: () => this.#memory.keep(),
    });
    this.project = new Project({
      ...{ clock, settings, list: this.#list, workspace: deps.workspace, store: deps.projectStore },
      idOf: (target) => this.idOf(target),
    });
    this.#startDeps = {
      ...{ keys: this.keys, settings, list: this.#list, relays: this.relays, project: this.project },
      ...{ leases: this.#leases, sharing: this.#sharing, keptRequests: this.#keptRequests },
    };
    this.#daemon = new DaemonSupervisor({
      clock,
      start: async (signal) => deps.startDaemon(await this.keys.owner(), signal),
      onRunning: (daemon) => this.#onDaemon(daemon),
      onStatus: () => this.#changed(),
      ...(deps.random ? { random: deps.random } : {}),
    });
  }

  get state(): ControllerState {
    const { configured: relays, isTrial } = this.relays;
    return { daemon: this.#daemon.status, exposures: this.#list.all, relays, isTrial };
  }

  /** Calls back after each change. Returns a function that ends that. */
  onChange(listener: (state: ControllerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  find(id: string): Exposure | undefined {
    return this.#list.find(id);
  }

  /** The identity of a port, whether it is exposed or not. */
  idOf(target: PortTarget): string {
    return exposureId(this.#deps.workspace.folder, target);
  }

  /**
   * Continues with what the window had when it was last open, or lists it. Shows what other windows expose from now on. Called once,
   * at the start.
   */
  async resume(): Promise<void> {
    const { clock, settings, workspace } = this.#deps;
    void this.#keptRequests.sweep();
    const remembered = this.#memory.read();
    if (remembered) {
      this.relays.restore(remembered.trial);
      const { isTrusted } = workspace;
      const continues = resumes(remembered, settings.get("porthole.resume"), { isTrusted, now: clock.now() });
      const others = await this.#sharing.servedByOthers();
      this.#list.set(
        remembered.exposures.map(({ id, target, secondary, friendlyName, isOn }) => {
          const isElsewhere = others.has(id);
          if (isOn && continues && isElsewhere) this.#sharing.resumeLater(id);
          const phase = isElsewhere ? "elsewhere" : isOn && continues ? "on" : "off";
          return { ...blank(id, target), secondary, friendlyName, phase };
        }),
      );
    }
    this.project.offer();
    await this.#sharing.start();
    if (this.#list.on.length === 0) return;
    await this.#daemon.daemon();
    await this.#tunnels.settled();
  }

  /**
   * Exposes the port; again when it was refused, and here when another window has it. One that this window exposes stays as it is.
   * With `access` nobody gets in under other rules. Rejects when it can't be exposed; it stays in the list then.
   */
  async expose(target: PortTarget, access?: AccessSpec): Promise<void> {
    const id = this.idOf(target);
    if (access) await this.keys.keepAccess(id, access);
    const known = this.find(id);
    if (known?.phase === "on" && !failureOf(known)) return this.#tunnels.started(id);
    const begun = this.project.begin(id);
    this.#tunnels.forget(id);
    // A port has one name, however it is exposed: a bare number does not take its label away.
    const label = target.label ?? known?.target.label;
    const { secondary, friendlyName } = known ?? {};
    this.#list.put({ ...blank(id, { ...target, label }), secondary, friendlyName, phase: "on" });
    this.#tunnels.startWanted();
    this.#sharing.hurry();
    await Promise.all([begun, this.#memory.keep()]);
    await this.#daemon.daemon();
    await this.#tunnels.started(id);
  }

  /** Stops the port in whichever window exposes it. Resolves when nobody can visit it any more. */
  async stop(id: string): Promise<void> {
    const exposure = this.#list.known(id);
    this.#sharing.forget(id);
    const off = { ...exposure, phase: "off", tunnel: undefined, error: undefined } as const;
    if (exposure.phase === "elsewhere") {
      await this.#leases.stopOther(id).catch(throwClaimError);
      this.#list.put(off);
      return this.#memory.keep();
    }
    this.#list.put(off);
    await Promise.all([this.#memory.keep(), this.#sharing.giveUp(id, "stopped")]);
  }

  /** Stops every port of every window that shares this installation, whatever folder it has open. */
  async stopAll(): Promise<void> {
    const others = (await this.#leases.list()).filter(({ holder }) => holder === "others");
    const unknown = others.filter(({ id }) => this.find(id)?.phase !== "elsewhere");
    const mine = this.#list.all.filter(({ phase }) => phase !== "off");
    await settleAll([...mine.map(({ id }) => this.stop(id)), ...unknown.map(({ id }) => this.#leases.stopOther(id))]);
  }

  /** Takes a stopped one off the list. Its key stays, so that the next time it has the same name. */
  async remove(id: string): Promise<void> {
    if (this.find(id)?.phase === "on") await this.stop(id);
    this.#list.remove(id);
    await this.#memory.keep();
  }

  /**
   * Sets who may visit from now on; everyone when `undefined`. Kept for the port, also when it is exposed again. A port of another
   * window comes to this one, so that the rules hold at once.
   */
  async protect(id: string, access: AccessSpec | undefined): Promise<void> {
    const { phase, target } = this.#list.known(id);
    const rules = this.project.access(id, access ?? {});
    if (phase === "on") await this.#call("tunnel/update", { id, changes: { access: isOpen(rules) ? null : rules } });
    await this.keys.keepAccess(id, access);
    await this.#leases.seal(id, await this.keys.seal(id));
    if (phase === "elsewhere") await this.expose(target);
  }

  /** Asks relays for a friendly name in the port's URL; without one the key is the name again. The URL is another one then. */
  async rename(id: string, friendlyName: string | undefined): Promise<void> {
    this.#list.put({ ...this.#list.known(id), friendlyName });
    await this.#memory.keep();
    if (this.find(id)?.phase === "on") await this.relays.restart([id]);
  }

  /** Relays are reached in another way now: what runs is restarted, under the same names. */
  useProxy(): Promise<void> {
    return this.#daemon.replace();
  }

  /** The daemon, for what only one part of the user interface needs. Starts it. */
  async daemon(): Promise<DaemonConnection> {
    return (await this.#daemon.daemon()).connection;
  }

  /** Ends the daemon and with it every tunnel. What was on is remembered. */
  async close(): Promise<void> {
    this.#memory.close();
    this.#sharing.close();
    this.#leases.close();
    this.#listeners.clear();
    await this.#daemon.close();
    await Promise.allSettled(this.#list.on.map(({ id }) => this.#leases.release(id, "closed")));
  }

  async #call<M extends Method>(method: M, params: Requests[M][0]): Promise<Requests[M][1]> {
    return (await this.daemon()).call(method, params);
  }

  #onDaemon(daemon: RunningDaemon): void {
    const { connection } = daemon;
    connection.on("tunnel/state", ({ id, state }) => this.#onTunnel(id, state));
    connection.on("tunnel/visit", ({ id }) => {
      const exposure = this.find(id);
      if (exposure) this.#list.put({ ...exposure, lastVisitAt: this.#deps.clock.now() });
    });
    connection.on("log", (line) => this.#deps.onLog(line));
    this.#deps.onDaemon?.(daemon);
    this.#list.set(this.#list.all.map((each) => ({ ...each, tunnel: undefined, error: undefined })));
    this.#tunnels.reset();
  }

  #onTunnel(id: string, tunnel: TunnelStateView): void {
    const exposure = this.find(id);
    // What has just been stopped, or could not be started, may still have been said.
    if (exposure?.phase !== "on" || exposure.error) return;
    this.#list.put({ ...exposure, tunnel, toldAt: this.#deps.clock.now() });
    for (const { address, now } of tunnel.endpoints.flatMap(({ relays }) => relays))
      if (now.status === "online") void this.keys.forgetToken(address).catch(() => {});
  }

  #changed(): void {
    for (const listener of this.#listeners) listener(this.state);
  }
}
