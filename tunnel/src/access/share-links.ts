import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import { longestTimerMs, type Clock, type Timer } from "@porthole/common/util";
import { unlimitedListeners } from "./unlimited-listeners.ts";

/** Keeps share links between runs, as hashes of their tokens. */
export interface ShareLinkStore {
  load(): Promise<readonly StoredShareLink[]>;
  save(links: readonly StoredShareLink[]): Promise<void>;
}

export interface StoredShareLink {
  readonly id: string;
  /** SHA-256 of the token's secret part, in hex. */
  readonly hash: string;
  readonly label: string;
  readonly createdAt: number;
  /** Milliseconds since 1970; absent for a link that holds until it is revoked. */
  readonly endsAt?: number;
}

/** A share link without its hash, for display. */
export type ShareLink = Omit<StoredShareLink, "hash">;

export interface NewShareLink {
  readonly link: ShareLink;
  /** Goes into the URL; nobody can read it again. */
  readonly token: string;
}

/** The limit on links that have not ended. */
const maxLinks = 1_000;

interface Entry {
  readonly stored: StoredShareLink;
  readonly controller: AbortController;
  timer: Timer | undefined;
}

/** Links that let everyone in who has one, until they end or are revoked. `close()` stops their timers. */
export class ShareLinks {
  readonly #store: ShareLinkStore;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(store: ShareLinkStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  static async open(store: ShareLinkStore, clock: Clock): Promise<ShareLinks> {
    const links = new ShareLinks(store, clock);
    for (const stored of await store.load()) if (!hasEnded(stored, clock.now())) links.#add(stored);
    return links;
  }

  /** The link holds once this resolves, also after a restart. Throws `usage` for a time that makes no sense. */
  async create({
    label = "",
    forMs,
  }: {
    readonly label?: string;
    readonly forMs?: number | undefined;
  }): Promise<NewShareLink> {
    if (forMs !== undefined && !(forMs > 0 && forMs <= 10 * 365 * 86_400_000))
      throw new PortholeError("usage", "A share link can hold from a moment to ten years");
    if (this.#entries.size >= maxLinks)
      throw new PortholeError("usage", `There are ${maxLinks} share links already`, {
        hint: "Revoke some with porthole share revoke.",
      });
    const now = this.#clock.now();
    const secret = randomBytes(24);
    const stored: StoredShareLink = {
      id: randomBytes(5).toString("hex"),
      hash: createHash("sha256").update(secret).digest("hex"),
      label: label.slice(0, 200),
      createdAt: now,
      ...(forMs === undefined ? {} : { endsAt: now + forMs }),
    };
    this.#add(stored);
    try {
      await this.#save();
    } catch (reason) {
      this.#remove(stored.id);
      throw reason;
    }
    return { link: shown(stored), token: `${stored.id}.${secret.toString("base64url")}` };
  }

  list(): ShareLink[] {
    this.#sweep();
    return [...this.#entries.values()].map(({ stored }) => shown(stored));
  }

  /** Revokes a link at once, also for visitors inside. Resolves to false when there is no such link. */
  async revoke(id: string): Promise<boolean> {
    if (!this.#remove(id)) return false;
    await this.#save();
    return true;
  }

  /** The link that the token opens, and a signal that aborts when it no longer does. */
  find(token: string): { readonly link: ShareLink; readonly until: AbortSignal } | undefined {
    const match = /^([0-9a-f]{10})\.([A-Za-z0-9_-]{32})$/.exec(token);
    const entry = this.#entries.get(match?.[1] ?? "");
    if (!entry || hasEnded(entry.stored, this.#clock.now())) return undefined;
    const hash = createHash("sha256")
      .update(Buffer.from(match?.[2] ?? "", "base64url"))
      .digest();
    if (!timingSafeEqual(hash, Buffer.from(entry.stored.hash, "hex"))) return undefined;
    return { link: shown(entry.stored), until: entry.controller.signal };
  }

  close(): void {
    for (const entry of this.#entries.values()) entry.timer?.cancel();
  }

  #add(stored: StoredShareLink): void {
    const entry: Entry = { stored, controller: new AbortController(), timer: undefined };
    unlimitedListeners(entry.controller.signal);
    this.#entries.set(stored.id, entry);
    this.#watch(entry);
  }

  #watch(entry: Entry): void {
    const { endsAt } = entry.stored;
    if (endsAt === undefined) return;
    const leftMs = endsAt - this.#clock.now();
    entry.timer = this.#clock.timer(Math.min(Math.max(leftMs, 0), longestTimerMs), () => {
      if (hasEnded(entry.stored, this.#clock.now())) this.#remove(entry.stored.id);
      else this.#watch(entry);
    });
  }

  #remove(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    entry.timer?.cancel();
    entry.controller.abort(new PortholeError("aborted", "The share link has ended"));
    return true;
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const { stored } of [...this.#entries.values()]) if (hasEnded(stored, now)) this.#remove(stored.id);
  }

  /** One after the other, each with what is there when its turn comes. */
  #save(): Promise<void> {
    this.#saving = this.#saving
      .catch(() => {})
      .then(() => this.#store.save([...this.#entries.values()].map(({ stored }) => stored)));
    return this.#saving;
  }
}

function hasEnded({ endsAt }: StoredShareLink, now: number): boolean {
  return endsAt !== undefined && now >= endsAt;
}

function shown({ hash: _hash, ...link }: StoredShareLink): ShareLink {
  return link;
}
