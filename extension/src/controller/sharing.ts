import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock, type Timer } from "@porthole/common/util";
import { blank, type ExposureList } from "./exposure-list.ts";
import type { Claim, LeaseEnd, Leases, LeaseState } from "./leases.ts";
import type { Tunnels } from "./tunnels.ts";

export interface SharingDeps {
  readonly clock: Clock;
  readonly leases: Leases;
  readonly list: ExposureList;
  readonly tunnels: Tunnels;
  /** Prefix of the ids of this workspace's ports. */
  readonly idPrefix: string;
  /** Resolves when the window has answered. A window that is closed, asleep or offline never answers. */
  readonly askWindow: () => Promise<void>;
  /** Ends a daemon that does not answer, and with it all its tunnels. */
  readonly replaceDaemon: () => Promise<void>;
  /** A port continues here that another window had. */
  readonly onResume: () => void;
  /** Keeps the list over a reload. */
  readonly remember: () => Promise<void>;
}

/** While this window exposes something, or shows what another one exposes. */
const busyLookMs = 1_000;
const idleLookMs = 5_000;
/** Looks, not time: a process that stood still must not judge a window that it has not listened to. */
const unansweredLooks = 30;
/** How long a window that was reloaded waits for its predecessor to let go: longer than that one needs to notice. */
const resumeLooks = 60;
const stopTimeoutMs = 5_000;

/**
 * Keeps the windows of one workspace in agreement about who serves which port. Looks at the leases once a second: shows what others
 * serve, and releases what others claim. Releases everything when its own window is away, because nobody sees or controls it then.
 */
export class Sharing {
  readonly #deps: SharingDeps;
  /** Ports that were on before the reload, and for how many more looks they are waited for. */
  readonly #resuming = new Map<string, number>();
  readonly #leaving = new Map<string, Promise<unknown>>();
  #timer: Timer | undefined;
  #isClosed = false;
  #isAway = false;
  #isAsking = false;
  #unanswered = 0;

  constructor(deps: SharingDeps) {
    this.#deps = deps;
  }

  /** The window does not answer. Nothing is served until it does. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** Looks now and from then on until `close`. */
  async start(): Promise<void> {
    await this.look();
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Looks more often from now on. */
  hurry(): void {
    if (this.#timer) this.#arm();
  }

  /** The port continues as soon as the window that has it goes away by itself. */
  resumeLater(id: string): void {
    this.#resuming.set(id, resumeLooks);
  }

  /** Ids of the ports that `resumeLater` was called for and that still wait. */
  get waiting(): ReadonlySet<string> {
    return new Set(this.#resuming.keys());
  }

  forget(id: string): void {
    this.#resuming.delete(id);
  }

  /** Ids that another window serves. */
  async servedByOthers(): Promise<ReadonlySet<string>> {
    const states = await this.#deps.leases.list();
    return new Set(states.filter(({ holder }) => holder === "others").map(({ id }) => id));
  }

  /** Ends the tunnel and lets others have the name. Resolves when nothing is served any more. */
  async giveUp(id: string, ended: LeaseEnd): Promise<void> {
    const leaving = Promise.all([this.#leaving.get(id), this.#end(id, ended)]);
    this.#leaving.set(id, leaving);
    try {
      await leaving;
    } finally {
      if (this.#leaving.get(id) === leaving) this.#leaving.delete(id);
    }
  }

  /** Resolves when the port is not being released any more: a lease that is still held then is about to go. */
  async left(id: string): Promise<void> {
    await this.#leaving.get(id)?.catch(() => {});
  }

  async #end(id: string, ended: LeaseEnd): Promise<void> {
    const { clock, tunnels, leases, replaceDaemon } = this.#deps;
    const options = { clock, delayMs: stopTimeoutMs, what: "The end of the tunnel" };
    await withDeadline(options, () => tunnels.stop(id)).catch(replaceDaemon);
    await leases.release(id, ended);
  }

  /** Another process took the lease because this one stood still. */
  async onLost(id: string): Promise<void> {
    const exposure = this.#deps.list.find(id);
    if (exposure?.phase !== "on") return;
    this.#deps.list.put({ ...exposure, phase: "elsewhere", tunnel: undefined, error: undefined });
    await this.giveUp(id, "closed");
  }

  async look(): Promise<void> {
    this.#checkWindow();
    const { leases, idPrefix } = this.#deps;
    for (const lease of await leases.list()) {
      if (this.#isClosed) return;
      if (lease.holder === "us") {
        if (lease.claim) await this.#onClaim(lease.id, lease.claim);
      } else if (lease.id.startsWith(idPrefix)) {
        if (lease.holder === "others") this.#onOthers(lease);
        else this.#onFree(lease);
      }
    }
    for (const [id, looks] of this.#resuming) {
      if (looks > 0) this.#resuming.set(id, looks - 1);
      else this.#resuming.delete(id);
    }
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#isClosed) return;
    const isBusy = this.#deps.list.all.some(({ phase }) => phase !== "off");
    this.#timer = this.#deps.clock.timer(isBusy ? busyLookMs : idleLookMs, () => {
      this.look()
        .catch(() => {})
        .finally(() => this.#arm());
    });
  }

  async #onClaim(id: string, claim: Claim): Promise<void> {
    const { list, remember } = this.#deps;
    const exposure = list.find(id);
    if (exposure?.phase === "on")
      list.put({ ...exposure, phase: claim === "take" ? "elsewhere" : "off", tunnel: undefined, error: undefined });
    await this.giveUp(id, claim === "stop" ? "stopped" : "closed");
    await remember();
  }

  #onOthers({ id, target }: LeaseState): void {
    const { list } = this.#deps;
    const exposure = list.find(id);
    // A start of ours that still waits for the lease is on its way.
    if (exposure?.phase === "on" || exposure?.phase === "elsewhere") return;
    list.put({ ...(exposure ?? blank(id, target)), phase: "elsewhere", tunnel: undefined, error: undefined });
  }

  #onFree({ id, ended }: LeaseState): void {
    const { list, tunnels, onResume } = this.#deps;
    const exposure = list.find(id);
    if (exposure?.phase !== "elsewhere") return;
    const resumes = this.#resuming.has(id) && ended !== "stopped";
    this.#resuming.delete(id);
    list.put({ ...exposure, phase: resumes ? "on" : "off" });
    if (!resumes) return;
    tunnels.forget(id);
    tunnels.startWanted();
    onResume();
  }

  #checkWindow(): void {
    const { list, askWindow } = this.#deps;
    if (list.on.length === 0) this.#unanswered = 0;
    else if (this.#isAsking) this.#unanswered++;
    if (this.#unanswered >= unansweredLooks && !this.#isAway) this.#leave();
    if (this.#isAsking || list.on.length === 0) return;
    this.#isAsking = true;
    const answered = (): void => {
      this.#isAsking = false;
      this.#unanswered = 0;
      if (this.#isAway) void this.#comeBack().catch(() => {});
    };
    askWindow().then(answered, answered);
  }

  #leave(): void {
    this.#isAway = true;
    for (const { id } of this.#deps.list.on) void this.giveUp(id, "closed").catch(() => {});
  }

  /** A tab that woke up, or a connection that is back. What another window has taken in between stays there. */
  async #comeBack(): Promise<void> {
    this.#isAway = false;
    const { list, tunnels } = this.#deps;
    const others = await this.servedByOthers();
    for (const exposure of list.on)
      list.put({ ...exposure, phase: others.has(exposure.id) ? "elsewhere" : "on", tunnel: undefined });
    tunnels.startWanted();
  }
}

/** Throws what a claim failed with, in words for people. */
export function throwClaimError(reason: unknown): never {
  const error = PortholeError.from(reason);
  if (error.code !== "timeout") throw error;
  throw new PortholeError("timeout", "Another window exposes this port and does not let go of it", {
    cause: error,
    hint: "Close that window, then try again.",
  });
}
