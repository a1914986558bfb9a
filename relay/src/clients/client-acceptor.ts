import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { readPeer } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import type { EngineChoice } from "@porthole/common/link/quic";
import { acceptHttp2, type Http2Acceptor } from "@porthole/common/link/http2";
import type { Logger } from "@porthole/common/log";
import { limits, type QuicTicket } from "@porthole/common/protocol";
import { deadline, systemClock, type Clock, type Secret } from "@porthole/common/util";
import type { RelayCertificate } from "../certificates/relay-certificate.ts";
import { addressesOf } from "../listeners/addresses-of.ts";
import { QuicWorker } from "../quic-worker/quic-worker.ts";
import type { QuicWorkerFacts } from "../quic-worker/facts.ts";
import type { TicketHolder, TicketOffice } from "../quic-worker/ticket-office.ts";
import type { ClientGate, PendingClient } from "../limits/index.ts";

export interface ClientAcceptorOptions {
  readonly certificate: RelayCertificate;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly gate: ClientGate;
  /** `pendingClient` is whom the gate let in; QUIC's have not been asked for yet. */
  readonly onConnection: (connection: TransportConnection, pendingClient?: PendingClient) => void;
  /** QUIC is there now; some clients may have come when it was not. */
  readonly onQuicUp: () => void;
  /** See QuicWorkerOptions. */
  readonly onQuicRestart?: (reason: string, restarts: number) => void;
  /** Makes tickets for QUIC that another process serves. */
  readonly ticketsElsewhere?: TicketOffice | undefined;
}

/** Accepts clients over both transports: TLS with the relay's certificate, then a connection. */
export class ClientAcceptor {
  readonly #options: ClientAcceptorOptions;
  readonly #acceptor: Http2Acceptor;
  #certificate: RelayCertificate;
  #worker: QuicWorker | undefined;
  #isQuicElsewhere = false;

  constructor(options: ClientAcceptorOptions) {
    this.#options = options;
    this.#certificate = options.certificate;
    this.#acceptor = acceptHttp2({ ...options.certificate, verifyPeer: (der) => void readPeer(der) });
  }

  /** Fingerprint of the relay's key, which clients pin. */
  get fingerprint(): string {
    return this.#certificate.fingerprint;
  }

  /** For connections from now on; links that are up stay up. */
  setCertificate(certificate: RelayCertificate): void {
    this.#certificate = certificate;
    this.#acceptor.setCertificate(certificate.cert, certificate.key);
    this.#worker?.setCertificate(certificate.cert, certificate.key);
  }

  /** Whether a TCP connection to the API port may come from there now; asked once for each. */
  admits(address: string | undefined): boolean {
    return this.#options.gate.admits(address);
  }

  /** A TCP connection that was admitted. */
  accept(socket: Socket): void {
    const { clock, log, gate, onConnection, signal: stop } = this.#options;
    const { remote } = addressesOf(socket);
    const pendingClient = gate.enter(remote.address);
    const { signal, release } = deadline(clock, limits.admissionDeadlineMs, "A client's handshake", stop);
    void this.#acceptor
      .accept(socket, { remote, signal })
      .finally(release)
      .then(
        (connection) => onConnection(connection, pendingClient),
        (reason: unknown) => {
          const error = PortholeError.from(reason);
          pendingClient.end(error);
          log.debug({ code: error.code, cause: error.causeText }, error.message);
        },
      );
  }

  /** Opens the UDP port, in a process of its own. Rejects with `address` or `key`; where there is no QUIC, HTTP/2 serves alone. */
  async openQuic(options: {
    readonly address: string;
    readonly port: number;
    readonly admission: "ticket" | "open";
    readonly engine: EngineChoice;
    readonly memoryCapBytes: number;
    readonly ticketKeysPath?: string | undefined;
    readonly ticketSecret?: Secret | undefined;
  }): Promise<void> {
    const { log, onConnection, onQuicUp: onUp, onQuicRestart: onRestart } = this.#options;
    const { cert, key } = this.#certificate;
    this.#worker = new QuicWorker({
      ...{ ...options, cert, key, clock: systemClock, log, onConnection, onUp },
      ...(onRestart ? { onRestart } : {}),
    });
    await this.#worker.open();
  }

  /** See QuicWorker.ticket. */
  ticket(holder: TicketHolder, anywhere: boolean): QuicTicket | undefined {
    if (this.#worker) return this.#worker.ticket(holder, anywhere);
    return this.#isQuicElsewhere ? this.#options.ticketsElsewhere?.issue(holder, anywhere) : undefined;
  }

  /** Another process serves QUIC now, or does not any more. */
  setQuicElsewhere(isUp: boolean): void {
    const isNews = isUp && !this.#isQuicElsewhere;
    this.#isQuicElsewhere = isUp;
    if (isNews && !this.#worker) this.#options.onQuicUp();
  }

  /** How QUIC is doing; undefined before `openQuic`. */
  quic(): QuicWorkerFacts | undefined {
    return this.#worker?.facts();
  }

  async close(): Promise<void> {
    await this.#worker?.close();
  }
}
