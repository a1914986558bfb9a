import { randomBytes } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import { checkGrant, clientIdOf, readKeyProof, type PeerIdentity, type ProvenKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { limits as wire, type Expose, type NamesOffer } from "@porthole/common/protocol";
import { TokenBucket, withDeadline, type Timer } from "@porthole/common/util";
import type { PendingClient } from "../limits/index.ts";
import { Traffic } from "../monitoring/traffic.ts";
import { admitKey, type AdmissionDeps, type Admitted } from "./admit-client.ts";
import { limits } from "./limits.ts";
import { enter, leave } from "./presence.ts";
import { refusalOf, refuse } from "./refuse.ts";
import type { ClientLink, Registry } from "./registry.ts";

/** What the client of a new link learns; the challenge makes a proof worthless elsewhere. */
export function offerNames(): NamesOffer {
  return { challenge: randomBytes(32).toString("hex"), max: limits.namesPerLink };
}

/** When a key whose delegation has ended may be exposed again, with another one. */
const againMs = 1_000;

export interface LinkNamesOptions extends AdmissionDeps {
  readonly admitted: Admitted;
  readonly offer: NamesOffer;
  readonly pendingClient: PendingClient;
  readonly log: Logger;
  readonly registry: Registry;
  readonly signal: AbortSignal;
}

/**
 * The keys that are exposed over one link: the one that the link is known by, unless the link is bare, and those whose holders have
 * signed for it. Each is admitted, counted, placed and revoked by itself.
 */
export class LinkNames {
  readonly #options: LinkNamesOptions;
  /** By client id. */
  readonly #exposed = new Map<string, ClientLink>();
  /** What is asked for one key happens one after the other. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #requests: TokenBucket;
  /** By client id, for keys that let the link's own speak for them for a while. */
  readonly #ends = new Map<string, Timer>();
  #own: ClientLink;
  #isLeaving = false;

  constructor(options: LinkNamesOptions) {
    const { admitted, clock, registry, log } = options;
    const { client } = admitted;
    this.#options = options;
    this.#requests = new TokenBucket(clock, limits.exposes);
    this.#own = { ...client, dismiss: (reason) => void refuse(client.link, reason) };
    if (client.hostnames.length > 0) this.#exposed.set(client.clientId, this.#own);
    enter(this.#own, registry, log);
  }

  /** Whose name it is; undefined when it does not lead to this link. */
  clientOf(hostname: string): ClientLink | undefined {
    return [...this.#exposed.values()].find(({ hostnames }) => hostnames.includes(hostname));
  }

  /** Responds with `exposed`. A proof that is not good ends the link: no client of ours makes one. */
  expose(request: Expose): void {
    const { link, linkFingerprint: fingerprint } = this.#own;
    if (!this.#mayAsk()) return;
    try {
      const { challenge } = this.#options.offer;
      const peer = readKeyProof(request.proof, { fingerprint, challenge });
      this.#inTurn(peer.clientId, () => this.#expose(peer, request));
    } catch (reason) {
      link.destroy(PortholeError.from(reason));
    }
  }

  /** Responds with `exposed` without a name. */
  unexpose(clientId: string): void {
    if (!this.#mayAsk()) return;
    this.#inTurn(clientId, async () => {
      const client = this.#exposed.get(clientId);
      if (client) this.#end(client);
      this.#own.link.control.send({ type: "exposed", clientId, hostnames: [] });
    });
  }

  /** No new visitors on this link. */
  retire(): void {
    this.#isLeaving = true;
    for (const client of [this.#own, ...this.#exposed.values()]) this.#options.registry.remove(client);
  }

  /** The link has ended. */
  close(): void {
    this.#isLeaving = true;
    for (const client of this.#exposed.values()) this.#end(client);
    this.#options.registry.remove(this.#own);
    this.#options.usage.leave(this.#own.owner);
  }

  #mayAsk(): boolean {
    if (this.#requests.take()) return true;
    this.#own.link.destroy(new PortholeError("limit", "The client exposed keys again and again"));
    return false;
  }

  /** `work` never rejects. */
  #inTurn(clientId: string, work: () => Promise<void>): void {
    const turn = (this.#turns.get(clientId) ?? Promise.resolve()).then(work);
    this.#turns.set(clientId, turn);
    void turn.then(() => {
      if (this.#turns.get(clientId) === turn) this.#turns.delete(clientId);
    });
  }

  async #expose(peer: ProvenKey, request: Expose): Promise<void> {
    const { clientId } = peer;
    const { log } = this.#options;
    const { id, link } = this.#own;
    try {
      if (peer.until !== undefined) checkGrant({ until: peer.until }, this.#options.clock.now());
      const { hostnames } = this.#exposed.get(clientId) ?? (await this.#admit(peer, request));
      if (peer.until !== undefined) this.#endAt(clientId, peer.until);
      link.control.send({ type: "exposed", clientId, hostnames });
    } catch (reason) {
      const error = PortholeError.from(reason);
      log.info({ link: id, client: clientId, code: error.code }, `Refused a key: ${error.message}`);
      link.control.send({ type: "exposed", clientId, hostnames: [], ...refusalOf(error) });
    }
  }

  async #admit(peer: PeerIdentity, { suffix, name }: Expose): Promise<ClientLink> {
    const { admitted, clock, signal, usage, log, registry, pendingClient } = this.#options;
    const { id, link, linkFingerprint, software, instance } = this.#own;
    this.#checkRoom();
    const wanted = { ...{ peer, suffix, name }, owner: admitted.owner, address: link.remote.address };
    const { hostname, ...grant } = await withDeadline(
      { clock, delayMs: wire.admissionDeadlineMs, what: "The admission of a key", signal },
      (within) => admitKey(wanted, this.#options, within),
    );
    this.#checkRoom();
    const { clientId, fingerprint } = peer;
    pendingClient.addKey(clientId);
    const client: ClientLink = {
      ...{ id, clientId, fingerprint, linkFingerprint, hostnames: [hostname], instance, software, link, ...grant },
      connectedAt: clock.now(),
      traffic: new Traffic(),
      account: usage.enter(grant.owner, grant.label ?? clientIdOf(grant.owner)),
      dismiss: (reason) => {
        this.#end(client);
        link.control.send({ type: "exposed", clientId, hostnames: [], ...refusalOf(reason) });
      },
    };
    this.#exposed.set(clientId, client);
    enter(client, registry, log);
    log.info({ link: id, client: clientId, hostname }, "A key is exposed");
    return client;
  }

  /** Another grant that comes in time takes its place. */
  #endAt(clientId: string, until: number): void {
    const { clock } = this.#options;
    this.#ends.get(clientId)?.cancel();
    const timer = clock.timer(until - clock.now(), () => {
      const reason = "the key's delegation has ended";
      this.#exposed.get(clientId)?.dismiss(new PortholeError("unauthorized", reason, { retryAfterMs: againMs }));
    });
    this.#ends.set(clientId, timer);
  }

  #checkRoom(): void {
    if (this.#isLeaving) throw new PortholeError("closed", "this link is about to end");
    const { max } = this.#options.offer;
    if (this.#exposed.size >= max) throw new PortholeError("limit", `this link has ${max} names already`);
  }

  /** It leads nowhere any more; the link's own key continues to speak for the link. */
  #end(client: ClientLink): void {
    const { registry, usage, pendingClient, log } = this.#options;
    if (!this.#exposed.delete(client.clientId)) return;
    this.#ends.get(client.clientId)?.cancel();
    this.#ends.delete(client.clientId);
    leave(client, registry);
    if (client === this.#own) {
      this.#own = { ...client, hostnames: [] };
      if (!this.#isLeaving) registry.add(this.#own);
      return;
    }
    pendingClient.dropKey(client.clientId);
    usage.leave(client.owner);
    log.debug({ link: client.id, client: client.clientId }, "A key is not exposed any more");
  }
}
