import { PortholeError } from "@porthole/common/errors";
import { createLink, type Link, type LinkStream } from "@porthole/common/link";
import { dialHttp2 } from "@porthole/common/link/http2";
import type { Logger } from "@porthole/common/log";
import { Backoff, deadline, sleep, type Clock } from "@porthole/common/util";
import { limits } from "./limits.ts";
import { nodeOf, shortNode, type Peer } from "./peer.ts";

export interface PeerDialerOptions {
  readonly peer: Peer;
  /** This relay's node key and a certificate for it, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The other relay has a visitor, or listens. */
  readonly onStream: (stream: LinkStream) => void;
}

/**
 * Keeps links to one other relay, by which that one hands over visitors of clients that are here. The relay with the client dials,
 * because the dialling side of a link is the one that receives streams. The caller closes it.
 */
export class PeerDialer {
  readonly #options: PeerDialerOptions;
  readonly #stop = new AbortController();
  readonly #links = new Set<Link>();
  readonly #running: Promise<void>[] = [];
  /** Why there is no link, after the last attempt. */
  #failure: PortholeError | undefined;

  constructor(options: PeerDialerOptions) {
    this.#options = options;
    for (let number = 0; number < limits.links; number++) this.#running.push(this.#keep());
    this.#running.push(this.#growWhileBusy());
  }

  get peer(): Peer {
    return this.#options.peer;
  }

  get links(): number {
    return this.#links.size;
  }

  get failure(): PortholeError | undefined {
    return this.#links.size > 0 ? undefined : this.#failure;
  }

  async close(reason: PortholeError): Promise<void> {
    this.#stop.abort(reason);
    await Promise.all([...this.#links].map((link) => link.close(reason)));
    await Promise.all(this.#running);
  }

  /** One link, and the next one when it ends. Never rejects. */
  async #keep(): Promise<void> {
    const { clock, log, peer } = this.#options;
    const { signal } = this.#stop;
    const backoff = new Backoff(limits.redial);
    while (!signal.aborted) {
      try {
        const link = await this.#dial(signal);
        backoff.reset();
        this.#failure = undefined;
        log.info({ relay: shortNode(peer.node), host: peer.host }, "Connected to a relay of the cluster");
        const reason = await this.#serve(link);
        if (!signal.aborted) log.info({ relay: shortNode(peer.node), code: reason.code }, "A relay's link ended");
      } catch (reason) {
        const error = PortholeError.from(reason);
        if (!signal.aborted && this.#failure?.message !== error.message)
          log.warn({ relay: shortNode(peer.node), code: error.code, hint: error.hint }, error.message);
        this.#failure = error;
      }
      await sleep(clock, backoff.next(), signal).catch(() => {});
    }
  }

  async #dial(stop: AbortSignal): Promise<Link> {
    const { peer, cert, key, clock } = this.#options;
    const { signal, release } = deadline(clock, limits.dialMs, `Connecting to the relay at ${peer.host}`, stop);
    try {
      const connection = await dialHttp2(
        {
          ...{ host: peer.host, port: peer.port, cert, key, trust: { kind: "unchecked" } },
          verifyPeer: (der) => void nodeOf(der, (node) => node === peer.node),
        },
        { signal },
      );
      return createLink(connection, { clock, heartbeat: "send" });
    } finally {
      release();
    }
  }

  async #serve(link: Link): Promise<PortholeError> {
    this.#links.add(link);
    link.forgetPeerCertificate();
    void refuseMessages(link);
    for await (const stream of link.incoming) this.#options.onStream(stream);
    const reason = await link.closed;
    this.#links.delete(link);
    return reason;
  }

  /** A link carries a limited number of visitors. */
  async #growWhileBusy(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(clock, limits.lookEveryMs, signal).catch(() => {});
      const links = [...this.#links];
      const isBusy = links.length > 0 && links.every((link) => link.openStreams > limits.busyShare * link.maxStreams);
      if (isBusy && links.length < limits.maxLinks) this.#running.push(this.#keep());
    }
  }
}

/** Relays say nothing on the control stream but what belongs to every link. */
export async function refuseMessages(link: Link): Promise<void> {
  const message = await link.control.next();
  if (message) link.destroy(new PortholeError("protocol", `A relay sent ${message.type}`));
}
