import type { ProxyTo } from "@porthole/common/acme";
import { PortholeError, setting } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { TransportConnection, Link, LinkStream, PeerTrust } from "@porthole/common/link";
import { protocolVersion, type Hello, type Welcome } from "@porthole/common/protocol";
import { withDeadline, type Clock, type Secret } from "@porthole/common/util";
import type { LinkIdentity } from "./link-identity.ts";
import { QuicTickets } from "./quic-tickets.ts";
import { openSession, type Session } from "./session.ts";
import { fingerprintOf, type RelayTrust } from "./trust.ts";
import { linkLimits } from "@porthole/common/link";
import { limits as tunnelLimits } from "./limits.ts";

export interface ServerAddress {
  /** As the user wrote it. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** The token of an invite: goes with every hello until the relay has admitted us. */
  readonly token?: Secret | undefined;
  /** Directory of the certificate authority that the user has agreed to for the names of this relay; Let's Encrypt when absent. */
  readonly certificateDirectory?: string | undefined;
}

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** The client's certificate and key, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly trust: PeerTrust;
  /** QUIC: the name that the certificate must have; the host if it is absent. */
  readonly serverName?: string;
  /** QUIC: the connection id to use, a ticket. */
  readonly sourceId?: Buffer;
}

/** The transports, as the program was put together: QUIC needs native code that not every machine can load. */
export interface Dialers {
  http2(
    options: DialTarget & { verifyPeer(certificate: Buffer): void },
    init: { readonly signal: AbortSignal },
  ): Promise<TransportConnection>;
  readonly quic:
    | {
        readonly available: true;
        /** Which engine carries it, and why that one. */
        readonly engine?: string;
        readonly why?: string;
        /** Throws `busy` while HTTP/2 is to be preferred, see QuicRest. Absent: never. */
        assertRested?(): void;
        dial(options: DialTarget, init: { readonly signal: AbortSignal }): Promise<TransportConnection>;
      }
    | { readonly available: false; readonly reason: string };
  /** For what else leaves this machine: certificates are ordered, and tried, the way that HTTP/2 goes. */
  readonly proxyTo?: ProxyTo;
}

export interface RelayDialerOptions {
  readonly server: ServerAddress;
  /** The key that the links are known by. */
  readonly identity: LinkIdentity;
  readonly trust: RelayTrust;
  readonly dialers: Dialers;
  /** What is asked for with each link. Called before it is dialled: a relay does not wait for a signature. */
  readonly hello: (signal: AbortSignal) => Promise<Partial<Hello>>;
  /** The relay has admitted us: the server's token has done its work. Called at most once. */
  readonly onTokenUsed?: () => void;
  readonly software: string;
  readonly instance: string;
  /** The links only try the relay out: no visitors come over them. */
  readonly isTest?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RelayDialerListeners {
  readonly onStream: (stream: LinkStream, link: Link) => void;
  /** The relay says by itself that it has QUIC: it had none, or another process has taken over. */
  readonly onQuicOffer: () => void;
  /** What is exposed over a link has changed; see SessionNames. */
  readonly onNames: () => void;
}

/** Makes one admitted link with one relay, over either transport. */
export class RelayDialer {
  readonly #options: RelayDialerOptions;
  readonly #onStream: (stream: LinkStream, link: Link) => void;
  readonly #onQuicOffer: () => void;
  readonly #onNames: () => void;
  readonly #tickets: QuicTickets;
  #token: Secret | undefined;
  #seenFingerprint: string | undefined;
  /** The next ticket shall not be bound to an address. */
  #anywhere = false;

  constructor(options: RelayDialerOptions, listeners: RelayDialerListeners) {
    this.#options = options;
    this.#onStream = listeners.onStream;
    this.#onQuicOffer = listeners.onQuicOffer;
    this.#onNames = listeners.onNames;
    this.#tickets = new QuicTickets(options.clock);
    this.#token = options.server.token;
  }

  async http2(signal: AbortSignal): Promise<Session> {
    const { trust, dialers, server } = this.#options;
    const hello = await this.#options.hello(signal);
    let seen: Buffer | undefined;
    const target = {
      ...this.#target(trust.http2),
      verifyPeer: (certificate: Buffer) => {
        this.#seenFingerprint = fingerprintOf(certificate);
        trust.verify(certificate);
        seen = certificate;
      },
    };
    const connection = await this.#dial(`Connecting to ${server.text}`, tunnelLimits.dialDeadlineMs, signal, (init) =>
      dialers.http2(target, init),
    );
    if (seen) await this.#remember(seen);
    return this.#openSession(connection, hello, signal);
  }

  /** The fingerprint of the key that the relay showed last over HTTP/2, right or wrong. */
  get seenFingerprint(): string | undefined {
    return this.#seenFingerprint;
  }

  async quic(signal: AbortSignal): Promise<Session> {
    const { dialers, server } = this.#options;
    const { quic } = dialers;
    if (!quic.available)
      throw new PortholeError("unavailable", `QUIC is unavailable: ${quic.reason}`, {
        hint: `Set ${setting("transport")} to auto or h2.`,
      });
    const dial = async (trust: PeerTrust): Promise<Session> => {
      const hello = await this.#options.hello(signal);
      const ticket = await this.#tickets.take(this.#anywhere, signal);
      const what = `Waiting for an answer from UDP ${server.text}`;
      const target = { ...this.#target(trust), host: ticket.address, serverName: server.host, sourceId: ticket.id };
      try {
        const connection = await this.#dial(what, linkLimits.quicHandshakeMs, signal, (init) =>
          quic.dial(target, init),
        );
        this.#anywhere = false;
        return await this.#openSession(connection, hello, signal);
      } catch (reason) {
        if (signal.aborted || PortholeError.from(reason).code !== "timeout") throw reason;
        if (ticket.isLeftOver && this.#tickets.isReady(this.#anywhere)) return dial(trust);
        // A relay is silent to strangers: where UDP and TCP leave by different addresses, the ticket may have been for the other one.
        this.#anywhere = !this.#anywhere;
        throw reason;
      }
    };
    const trust = await this.#options.trust.whenSeen(signal);
    try {
      return await dial(trust);
    } catch (reason) {
      // It may have a new certificate of the key that we know, and only HTTP/2 can look.
      if (trust.kind !== "pinned" || PortholeError.from(reason).code !== "untrusted") throw reason;
      await this.#lookAround(signal);
      const renewed = this.#options.trust.quic;
      if (!renewed || (renewed.kind === "pinned" && renewed.pem === trust.pem)) throw reason;
      return dial(renewed);
    }
  }

  /** This machine is in another network, maybe. */
  recheck(): void {
    this.#tickets.forget();
  }

  /** Makes an HTTP/2 connection only for what QUIC has to know beforehand: a pinned certificate, and a ticket. */
  async prepareQuic(signal: AbortSignal): Promise<void> {
    if (!this.#options.trust.quic) await this.#lookAround(signal);
    // What was found may be worthless by the time that the connection is closed, and nobody else will bring another.
    while (!this.#tickets.isReady(this.#anywhere)) await this.#lookAround(signal);
  }

  /** Asks the relay over TCP who it is, and brings a ticket along. */
  async look(signal: AbortSignal): Promise<Welcome> {
    return this.#lookAround(signal);
  }

  async #lookAround(signal: AbortSignal): Promise<Welcome> {
    const session = await this.http2(signal);
    const seen = new AbortController();
    const over = session.serve(seen.signal).catch(() => {});
    try {
      if (!this.#tickets.isReady(this.#anywhere)) await this.#tickets.fetch(session, this.#anywhere, signal);
      return session.welcome;
    } finally {
      seen.abort(new PortholeError("aborted", "Only looking at the certificate and for a ticket"));
      await over;
    }
  }

  #dial(
    what: string,
    delayMs: number,
    parent: AbortSignal,
    dial: (init: { readonly signal: AbortSignal }) => Promise<TransportConnection>,
  ): Promise<TransportConnection> {
    return withDeadline({ clock: this.#options.clock, delayMs, what, signal: parent }, async (signal) => {
      const connection = await dial({ signal }).catch((reason: unknown) => {
        const { code, message, causeText } = PortholeError.from(reason);
        this.#options.log.debug({ code, cause: causeText }, message);
        throw reason;
      });
      // In the same turn as the abort: nobody waits for it any more.
      if (signal.aborted) connection.destroy(PortholeError.from(signal.reason));
      return connection;
    });
  }

  async #openSession(connection: TransportConnection, hello: Partial<Hello>, signal: AbortSignal): Promise<Session> {
    const { clock, identity } = this.#options;
    const session = await openSession(
      connection,
      {
        clock,
        hello: this.#fullHello(hello),
        key: identity.key,
        onStream: this.#onStream,
        onNames: this.#onNames,
        onTicket: (ticket, from) => {
          this.#tickets.keep(ticket, from);
          this.#onQuicOffer();
        },
      },
      signal,
    );
    this.#tickets.add(session);
    if (this.#token) {
      this.#token = undefined;
      this.#options.onTokenUsed?.();
    }
    return session;
  }

  #fullHello(hello: Partial<Hello>): Hello {
    const { software, instance } = this.#options;
    return {
      type: "hello",
      protocol: protocolVersion,
      software,
      instance,
      ...hello,
      ...(this.#token ? { token: this.#token.reveal() } : {}),
      ...(this.#options.isTest === true ? { test: true } : {}),
    };
  }

  #target(trust: PeerTrust): DialTarget {
    const { server, identity } = this.#options;
    return { host: server.host, port: server.port, cert: identity.certificate, key: identity.key.pem, trust };
  }

  /** Failing to write the pin down costs QUIC its head start next time, and no service now. */
  async #remember(certificate: Buffer): Promise<void> {
    try {
      await this.#options.trust.remember(certificate);
    } catch (reason) {
      this.#options.log.warn({}, PortholeError.from(reason).message);
    }
  }
}
