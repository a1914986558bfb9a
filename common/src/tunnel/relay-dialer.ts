import { PortholeError } from "../errors.ts";
import { vouchFor, type IdentityKey } from "../identity/index.ts";
import type { Logger } from "../log.ts";
import type { Carrier, Link, LinkStream, PeerTrust } from "../link/index.ts";
import { limits, protocolVersion, type Hello } from "../protocol/protocol.ts";
import { withDeadline, type Clock, type Secret } from "../util/index.ts";
import type { Endpoint } from "./endpoint.ts";
import { openSession, type Session } from "./session.ts";
import { fingerprintOf, type RelayTrust } from "./trust.ts";

export interface ServerAddress {
  /** As the user wrote it. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** Of an invite: goes with every hello until the relay has admitted us. */
  readonly token?: Secret | undefined;
}

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** The client's certificate and key, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly trust: PeerTrust;
}

/** The transports, as the program was put together: QUIC needs native code that not every machine can load. */
export interface Dialers {
  http2(
    options: DialTarget & { verifyPeer(certificate: Buffer): void },
    init: { readonly signal: AbortSignal },
  ): Promise<Carrier>;
  readonly quic:
    | { readonly available: true; dial(options: DialTarget, init: { readonly signal: AbortSignal }): Promise<Carrier> }
    | { readonly available: false; readonly reason: string };
}

export interface RelayDialerOptions {
  readonly server: ServerAddress;
  readonly endpoint: Endpoint;
  readonly trust: RelayTrust;
  readonly dialers: Dialers;
  readonly suffix?: string | undefined;
  /** Wanted instead of the client id. */
  readonly name?: string | undefined;
  /** The key that the relay knows the user by, when it is not the endpoint's own. */
  readonly member?: IdentityKey | undefined;
  /** The relay has admitted us: the server's token has done its work. Called at most once. */
  readonly onTokenUsed?: () => void;
  readonly software: string;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Makes one admitted link with one relay, over either transport. */
export class RelayDialer {
  readonly #options: RelayDialerOptions;
  readonly #onStream: (stream: LinkStream, link: Link) => void;
  readonly #voucher: string | undefined;
  #token: Secret | undefined;
  #seenFingerprint: string | undefined;

  constructor(options: RelayDialerOptions, onStream: (stream: LinkStream, link: Link) => void) {
    this.#options = options;
    this.#onStream = onStream;
    this.#token = options.server.token;
    const { member, endpoint } = options;
    if (member && member.fingerprint !== endpoint.key.fingerprint)
      this.#voucher = vouchFor(member, endpoint.key.fingerprint);
  }

  async http2(signal: AbortSignal): Promise<Session> {
    const { trust, dialers, server } = this.#options;
    let seen: Buffer | undefined;
    const target = {
      ...this.#target(trust.http2),
      verifyPeer: (certificate: Buffer) => {
        this.#seenFingerprint = fingerprintOf(certificate);
        trust.verify(certificate);
        seen = certificate;
      },
    };
    const carrier = await this.#dial(`Connecting to ${server.text}`, limits.dialDeadlineMs, signal, (init) =>
      dialers.http2(target, init),
    );
    if (seen) await this.#remember(seen);
    return this.#openSession(carrier, signal);
  }

  /** Of the key that the relay showed last over HTTP/2, whether it was the right one or not. */
  get seenFingerprint(): string | undefined {
    return this.#seenFingerprint;
  }

  async quic(signal: AbortSignal): Promise<Session> {
    const { dialers, server } = this.#options;
    const { quic } = dialers;
    if (!quic.available)
      throw new PortholeError("unavailable", `QUIC is unavailable: ${quic.reason}`, {
        hint: "Use --transport auto or h2.",
      });
    const dial = async (trust: PeerTrust): Promise<Session> => {
      const what = `Waiting for an answer from UDP ${server.text}`;
      const carrier = await this.#dial(what, limits.quicHandshakeMs, signal, (init) =>
        quic.dial(this.#target(trust), init),
      );
      return this.#openSession(carrier, signal);
    };
    const trust = await this.#options.trust.whenSeen(signal);
    try {
      return await dial(trust);
    } catch (reason) {
      // It may have a new certificate of the key that we know, and only HTTP/2 can look.
      if (trust.kind !== "pinned" || PortholeError.from(reason).code !== "untrusted") throw reason;
      await this.#lookAtCertificate(signal);
      const renewed = this.#options.trust.quic;
      if (!renewed || (renewed.kind === "pinned" && renewed.pem === trust.pem)) throw reason;
      return dial(renewed);
    }
  }

  /** Makes a connection only to see the relay's certificate: QUIC has to know a pinned one beforehand. */
  async seeCertificate(signal: AbortSignal): Promise<void> {
    if (!this.#options.trust.quic) await this.#lookAtCertificate(signal);
  }

  async #lookAtCertificate(signal: AbortSignal): Promise<void> {
    const reason = "Only looking at the certificate";
    const session = await this.http2(signal);
    session.retire(reason);
    await session.link.close(new PortholeError("aborted", reason));
  }

  #dial(
    what: string,
    delayMs: number,
    parent: AbortSignal,
    dial: (init: { readonly signal: AbortSignal }) => Promise<Carrier>,
  ): Promise<Carrier> {
    return withDeadline({ clock: this.#options.clock, delayMs, what, signal: parent }, async (signal) => {
      const carrier = await dial({ signal });
      // In the same turn as the abort: nobody waits for it any more.
      if (signal.aborted) carrier.destroy(PortholeError.from(signal.reason));
      return carrier;
    });
  }

  async #openSession(carrier: Carrier, signal: AbortSignal): Promise<Session> {
    const { clock, endpoint } = this.#options;
    const session = await openSession(
      carrier,
      {
        clock,
        hello: this.#hello(),
        onStream: this.#onStream,
      },
      signal,
    );
    if (this.#token) {
      this.#token = undefined;
      this.#options.onTokenUsed?.();
    }
    // Streams wait in the link until the session serves; by then there is a certificate for the names.
    await endpoint.serveNames(session.welcome.hostnames);
    return session;
  }

  #hello(): Hello {
    const { software, instance, suffix, name } = this.#options;
    return {
      type: "hello",
      protocol: protocolVersion,
      software,
      instance,
      ...(suffix === undefined ? {} : { suffix }),
      ...(name === undefined ? {} : { name }),
      ...(this.#voucher === undefined ? {} : { voucher: this.#voucher }),
      ...(this.#token ? { token: this.#token.reveal() } : {}),
    };
  }

  #target(trust: PeerTrust): DialTarget {
    const { server, endpoint } = this.#options;
    return {
      host: server.host,
      port: server.port,
      cert: endpoint.linkCertificate,
      key: endpoint.key.pem,
      trust,
    };
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
