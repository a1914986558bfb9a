import { randomUUID } from "node:crypto";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { ExternalKey } from "./external-key.ts";
import { delegationOf, linkIdentity, type LinkIdentity, type NameKey } from "./link-identity.ts";
import { LinkSet, type LinkSetOptions } from "./link-set.ts";
import { NetworkWatch, type Interfaces } from "./network-watch.ts";

export interface LinkPoolOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** This machine's network interfaces; its own ones if absent. */
  readonly interfaces?: Interfaces | undefined;
}

/**
 * The links of this process. Tunnels with one owner share those with one relay: each exposes its own key over them. While there are
 * links, they are told when this machine's network changes. Nothing has to be closed: a set ends with its last user.
 */
export class LinkPool {
  /** Random id of this process, for relays. */
  readonly instance = randomUUID();
  readonly #options: LinkPoolOptions;
  readonly #sets = new Set<LinkSet>();
  readonly #shared = new Map<string, LinkSet>();
  readonly #identities = new Map<string, LinkIdentity>();
  #watch: NetworkWatch | undefined;

  constructor(options: LinkPoolOptions) {
    this.#options = options;
  }

  /** A set for one user. */
  own(options: LinkSetOptions): LinkSet {
    const set = new LinkSet(options);
    this.#keep(set);
    return set;
  }

  /** The set for all users that the owner vouches for: the present one, or a new one. */
  shared(owner: NameKey, options: Omit<LinkSetOptions, "identity" | "hello">): LinkSet {
    const { server, trust, transport, poolSize } = options;
    const key = JSON.stringify([server.host, server.port, trust.policy, transport, poolSize, owner.fingerprint]);
    const present = this.#shared.get(key);
    if (present?.isOpen) return present;
    const set = this.own({
      ...options,
      identity: this.#identity(owner),
      async hello(users, signal) {
        if (owner instanceof ExternalKey) return { bare: true, ...(await delegationOf(owner, owner, signal)) };
        // The name of the owner itself comes with the link, where it wants nothing else: that is one exchange less.
        return users.some(({ clientId, isPlain }) => isPlain && clientId === owner.clientId) ? {} : { bare: true };
      },
    });
    this.#shared.set(key, set);
    void set.over.then(() => {
      if (this.#shared.get(key) === set) this.#shared.delete(key);
    });
    return set;
  }

  #identity(key: NameKey): LinkIdentity {
    const present = this.#identities.get(key.fingerprint);
    if (present) return present;
    const identity = linkIdentity(key, this.#options.clock.now());
    this.#identities.set(key.fingerprint, identity);
    return identity;
  }

  #keep(set: LinkSet): void {
    const { clock, log, interfaces } = this.#options;
    this.#sets.add(set);
    this.#watch ??= new NetworkWatch({
      clock,
      interfaces,
      onChange: (what) => {
        log.debug({}, what);
        for (const each of this.#sets) each.recheck();
      },
    });
    void set.over.then(() => {
      this.#sets.delete(set);
      if (this.#sets.size > 0) return;
      this.#watch?.stop();
      this.#watch = undefined;
    });
  }
}
