import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type Link, type TransportConnection } from "@porthole/common/link";
import { acceptHttp2, type Http2Acceptor } from "@porthole/common/link/http2";
import type { Logger } from "@porthole/common/log";
import { deadline, type Clock } from "@porthole/common/util";
import { addressesOf } from "../listeners/addresses-of.ts";
import { Traffic } from "../monitoring/traffic.ts";
import type { Place } from "../visitors/place.ts";
import { encodeHopHead } from "./hop-wire.ts";
import { limits } from "./limits.ts";
import type { LinkBus } from "./link-bus.ts";
import { nodeOf, shortNode } from "./peer.ts";
import { refuseMessages } from "./peer-dialer.ts";

export interface PeerLinksOptions {
  /** This relay's node key and a certificate for it, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly isPeer: (node: string) => boolean;
  readonly bus: LinkBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The links that other relays have dialled: by them this one leads visitors to clients that are there. The caller closes it. */
export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #acceptor: Http2Acceptor;
  readonly #places = new Map<string, Set<Place>>();
  readonly #traffic = new Map<string, Traffic>();
  readonly #served = new Set<Promise<void>>();
  #handshakes = 0;
  #lastId = 0;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    const { cert, key, isPeer } = options;
    this.#acceptor = acceptHttp2({ cert, key, verifyPeer: (der) => void nodeOf(der, isPeer) });
  }

  /** Links to this relay, those that answer and have the fewest visitors first. */
  of(node: string): Place[] {
    const places = [...(this.#places.get(node) ?? [])];
    return places.toSorted(
      ({ link: a }, { link: b }) => Number(a.isSilent) - Number(b.isSilent) || a.openStreams - b.openStreams,
    );
  }

  /** Visitors and bytes that were led to this relay, since the start. */
  traffic(node: string): Traffic {
    const traffic = this.#traffic.get(node) ?? new Traffic();
    this.#traffic.set(node, traffic);
    return traffic;
  }

  admits(): boolean {
    return this.#handshakes < limits.maxHandshakes;
  }

  /** A TCP connection to the port for relays. Takes it over. */
  accept(socket: Socket): void {
    const { clock, log, signal: stop } = this.#options;
    const { remote } = addressesOf(socket);
    this.#handshakes += 1;
    const { signal, release } = deadline(clock, limits.handshakeMs, "A relay's handshake", stop);
    void this.#acceptor
      .accept(socket, { remote, signal })
      .finally(() => {
        this.#handshakes -= 1;
        release();
      })
      .then(
        (connection) => this.#serve(connection),
        (reason: unknown) => {
          const { code, message } = PortholeError.from(reason);
          if (!stop.aborted) log.warn({ address: remote.address, code }, `Refused a relay: ${message}`);
        },
      );
  }

  /** Ends the links of a relay that is none of ours any more. */
  dismiss(node: string): void {
    const reason = new PortholeError("unauthorized", "This relay was removed from the cluster");
    for (const { link } of this.#places.get(node) ?? []) link.destroy(reason);
  }

  /** Ends all links; the signal has to have aborted. */
  async close(reason: PortholeError): Promise<void> {
    await Promise.all(
      [...this.#places.values()].flatMap((places) => [...places].map(({ link }) => link.close(reason))),
    );
    await Promise.all(this.#served);
  }

  #serve(connection: TransportConnection): void {
    const { clock, isPeer, signal } = this.#options;
    const link = createLink(connection, { clock, heartbeat: "watch" });
    if (signal.aborted || !link.peerCertificate) return link.destroy(new PortholeError("draining", "The relay stops"));
    const node = nodeOf(link.peerCertificate, isPeer);
    link.forgetPeerCertificate();
    void refuseMessages(link);
    const served = this.#keep(node, link).finally(() => this.#served.delete(served));
    this.#served.add(served);
  }

  async #keep(node: string, link: Link): Promise<void> {
    const places = this.#places.get(node) ?? new Set();
    this.#places.set(node, places);
    const place = this.#place(node, link);
    places.add(place);
    this.#listen(node);
    await link.closed;
    places.delete(place);
    if (places.size === 0) this.#places.delete(node);
    else this.#listen(node);
  }

  #place(node: string, link: Link): Place {
    this.#lastId += 1;
    const traffic = this.traffic(node);
    // Each visitor is counted for what its client's owner may carry at the relay where the client is.
    const account = { traffic: new Traffic(), throttled: <T>(stream: T): T => stream };
    const instance = `relay ${node}`;
    return {
      ...{ id: `${shortNode(node)}-${this.#lastId}`, clientId: node, instance, connectedAt: Number.NEGATIVE_INFINITY },
      ...{ link, traffic, account, isRelay: true },
    };
  }

  /** Opens the stream by which the relay tells what it has, unless there is one; and the next one when it ends. */
  #listen(node: string): void {
    const { bus } = this.#options;
    const [place] = this.of(node);
    if (!place || bus.hears(node)) return;
    try {
      const stream = place.link.openStream();
      stream.write(encodeHopHead("bus"));
      bus.hear(node, stream);
      stream.on("close", () => setImmediate(() => this.#listen(node)));
    } catch (reason) {
      this.#options.log.debug({ relay: shortNode(node) }, PortholeError.from(reason).message);
    }
  }
}
