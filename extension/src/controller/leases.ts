import { createHash, randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import {
  isLocked,
  lockFile,
  readFileIfExists,
  withDeadline,
  writeFileAtomic,
  type Clock,
  type FileLock,
} from "@porthole/common/util";
import type { TunnelSpec } from "@porthole/tunnel/rpc";
import type { PortTarget } from "../ports/index.ts";

/** A claimant's request to the window that holds the lease. */
export type Claim = "stop" | "take";

/** How the last holder's lease ended: its port was stopped for good, or its window went away. */
export type LeaseEnd = "stopped" | "closed";

export interface LeaseState {
  readonly id: string;
  readonly target: PortTarget;
  readonly holder: "us" | "others" | "nobody";
  /** Absent while a window holds it, and after a crash. */
  readonly ended?: LeaseEnd;
  /** Another window wants this from us. */
  readonly claim?: Claim;
}

/** A lease to take. */
export interface Wanted {
  readonly id: string;
  readonly target: PortTarget;
  /** Changes with the key and the rules that the name is served with. */
  readonly seal: string;
}

type HeldLease = NonNullable<TunnelSpec["lease"]>;

interface Written {
  readonly version: 1;
  readonly id: string;
  readonly target: PortTarget;
  readonly ended?: LeaseEnd;
  /** The seal of the key and the rules that the name was served with last, when that was written (ms since 1970), and by which window. */
  readonly seal?: { readonly value: string; readonly at: number; readonly by: string };
}

/** Longer than a lock needs to be judged stale (11 s), and a pause for a busy disk. */
const claimTimeoutMs = 30_000;

/**
 * One owner per identity, across all windows that share the extension's global storage. A window that exposes a port holds the lease
 * of its identity: a lock file that it keeps refreshing. Another window leaves a claim beside it; the holder ends its tunnel and
 * then releases the lease, so the holder knows that nobody else serves the name. The lease of a process that has died or
 * stopped refreshing goes to the next claimant; one that wakes up later learns it from its `Lock.signal`.
 */
export class Leases {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #window = randomUUID();
  readonly #held = new Map<string, Promise<FileLock>>();
  readonly #stop = new AbortController();
  readonly #startedAt: number;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /**
   * Resolves when this window holds the lease; claims it from another window if need be. `onLost` is called when another process took
   * it because this one stood still. Rejects with `timeout` when the other window does not let go within 30 s, and with `state` when
   * another window has changed the key or the rules and this one can't see it: some editors read their secrets only once. Returns
   * what tells the daemon that this window still holds it: a window that hangs can't.
   */
  async hold(lease: Wanted, onLost: () => void): Promise<HeldLease> {
    const { id } = lease;
    const taking = this.#held.get(id) ?? this.#take(lease, onLost);
    this.#held.set(id, taking);
    try {
      return { path: this.#path(id, "lock"), holder: (await taking).id };
    } catch (reason) {
      if (this.#held.get(id) === taking) this.#held.delete(id);
      throw reason;
    }
  }

  /** Lets others have it. To be called when nothing is served under the name any more. Does nothing for one that is not held. */
  async release(id: string, ended: LeaseEnd): Promise<void> {
    const taking = this.#held.get(id);
    this.#held.delete(id);
    const lock = await taking?.catch(() => undefined);
    if (!lock) return;
    const written = await this.#read(id);
    // Written before the lock is gone: who sees it free must know why.
    if (written && !lock.signal.aborted) await this.#write({ ...written, ended }).catch(() => {});
    await lock.release();
  }

  /** Makes the window that holds the lease stop its port. Resolves when it has. Rejects with `timeout` after 30 s. */
  async stopOther(id: string): Promise<void> {
    const lock = await this.#claim(id, "stop");
    const written = await this.#read(id);
    if (written) await this.#write({ ...written, ended: "stopped" });
    await lock.release();
  }

  /** Every lease there is or was. Empty before the first one. */
  async list(): Promise<readonly LeaseState[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const all = await Promise.all(
      names.filter((name) => name.endsWith(".json")).map((name) => this.#state(name.slice(0, -".json".length))),
    );
    return all.filter((each) => each !== undefined);
  }

  /** Ends what still waits for a lease. Leases that are held have to be released. */
  close(): void {
    this.#stop.abort(new PortholeError("aborted", "The window is closing"));
  }

  /** Notes what the name is served with from now on. */
  async seal(id: string, value: string): Promise<void> {
    const written = await this.#read(id);
    if (written) await this.#write({ ...written, seal: this.#sealed(value) });
  }

  #sealed(value: string): NonNullable<Written["seal"]> {
    return { value, at: this.#clock.now(), by: this.#window };
  }

  async #take({ id, target, seal }: Wanted, onLost: () => void): Promise<FileLock> {
    const lock = await this.#claim(id, "take");
    const before = (await this.#read(id))?.seal;
    if (before && before.value !== seal && before.by !== this.#window && before.at > this.#startedAt) {
      await lock.release();
      throw new PortholeError("state", "The key or the access rules of this port were changed in another window", {
        hint: "Reload this window, then expose the port again.",
      });
    }
    lock.signal.addEventListener(
      "abort",
      () => {
        this.#held.delete(id);
        onLost();
      },
      { once: true },
    );
    await this.#write({ version: 1, id, target, seal: this.#sealed(seal) });
    return lock;
  }

  /** Asks the holder, if there is one, until it has released the lease. A claim that somebody else has left is void then. */
  async #claim(id: string, claim: Claim): Promise<FileLock> {
    const path = this.#path(id, "claim");
    const lockPath = this.#path(id, "lock");
    if (await isLocked(lockPath)) await writeFileAtomic(path, JSON.stringify({ claim, by: this.#window }));
    const what = "The other window's answer";
    const options = { clock: this.#clock, delayMs: claimTimeoutMs, what, signal: this.#stop.signal };
    const lock = await withDeadline(options, (within) => lockFile(lockPath, this.#clock, within));
    await rm(path, { force: true });
    return lock;
  }

  async #state(name: string): Promise<LeaseState | undefined> {
    const written = await this.#readName(name);
    if (!written) return undefined;
    const { id, target, ended } = written;
    if (this.#held.has(id)) {
      const claim = readClaim((await readFileIfExists(this.#path(id, "claim")).catch(() => undefined))?.toString());
      const isOurs = claim?.by === this.#window;
      return { id, target, holder: "us", ...(claim && !isOurs ? { claim: claim.claim } : {}) };
    }
    const isHeld = await isLocked(this.#path(id, "lock"));
    return { id, target, holder: isHeld ? "others" : "nobody", ...(ended && !isHeld ? { ended } : {}) };
  }

  #read(id: string): Promise<Written | undefined> {
    return this.#readName(hashOf(id));
  }

  async #readName(name: string): Promise<Written | undefined> {
    const text = await readFileIfExists(join(this.#folder, `${name}.json`)).catch(() => undefined);
    return readWritten(text?.toString());
  }

  #write(written: Written): Promise<void> {
    return writeFileAtomic(this.#path(written.id, "json"), JSON.stringify(written));
  }

  #path(id: string, kind: "lock" | "claim" | "json"): string {
    return join(this.#folder, `${hashOf(id)}.${kind}`);
  }
}

function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 32);
}

function readWritten(text: string | undefined): Written | undefined {
  const value = parse(text) as Partial<Written> | undefined;
  if (value?.version !== 1 || typeof value.id !== "string") return undefined;
  const { host, port } = (value.target ?? {}) as Partial<PortTarget>;
  return typeof host === "string" && typeof port === "number" ? (value as Written) : undefined;
}

function readClaim(text: string | undefined): { readonly claim: Claim; readonly by: string } | undefined {
  const value = parse(text) as { readonly claim?: unknown; readonly by?: unknown } | undefined;
  const { claim, by } = value ?? {};
  return (claim === "stop" || claim === "take") && typeof by === "string" ? { claim, by } : undefined;
}

/** A file that is being written, or that somebody else has written, counts as none. */
function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
