import type { ArrivedVisitor } from "./read-visitor.ts";
import type { Session } from "./session.ts";

/** Who serves visitors that come over the links. Nothing here throws or rejects. */
export interface LinkUser {
  readonly clientId: string;
  /** First labels of its public names: its client id, and the friendly name that it wants. */
  readonly labels: readonly string[];
  /** It wants nothing but a name for its key: see RelayClient. */
  readonly isPlain: boolean;
  /** A link is up. Resolves when the user's key is exposed over it, or can't be now. */
  onLink(session: Session): Promise<void>;
  /** The links have changed, or what is exposed over them. */
  onChange(): void;
  onVisitor(visitor: ArrivedVisitor): void;
}

/** The users of a set of links. */
export class LinkUsers {
  readonly #all = new Set<LinkUser>();
  /** They get no new visitors. */
  readonly #retired = new Set<LinkUser>();

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** Those that get visitors. */
  get active(): LinkUser[] {
    return [...this.#all].filter((user) => !this.#retired.has(user));
  }

  add(user: LinkUser): void {
    this.#all.add(user);
  }

  retire(user: LinkUser): void {
    if (this.#all.has(user)) this.#retired.add(user);
  }

  /** Returns whether the user was not retired before. */
  remove(user: LinkUser): boolean {
    this.#all.delete(user);
    return !this.#retired.delete(user);
  }

  /** Whom a visitor of this name wants; also one that is retired, because the visitor was under way. */
  of(hostname: string | undefined): LinkUser | undefined {
    const all = [...this.#all];
    if (hostname === undefined) return all.length === 1 ? all[0] : undefined;
    const label = hostname.slice(0, hostname.indexOf("."));
    return all.find(({ labels }) => labels.includes(label));
  }

  notify(): void {
    for (const user of this.#all) user.onChange();
  }

  async onLink(session: Session): Promise<void> {
    await Promise.all(this.active.map((user) => user.onLink(session)));
  }
}
