import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { readPeer } from "@porthole/common/identity";
import type { TransportConnection } from "@porthole/common/link";
import type { EngineChoice } from "@porthole/common/link/quic";
import { acceptHttp2, type Http2Acceptor } from "@porthole/common/link/http2";
import type { Logger } from "@porthole/common/log";
import { limits, type QuicTicket } from "@porthole/common/protocol";
import { deadline, systemClock, type Clock } from "@porthole/common/util";
import type { RelayCertificate } from "../certificates/relay-certificate.ts";
import { addressesOf } from "../listeners/addresses-of.ts";
import { QuicWorker } from "../quic-worker/quic-worker.ts";
import type { QuicWorkerFacts } from "../quic-worker/facts.ts";
import type { TicketHolder } from "../quic-worker/ticket-office.ts";
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
}

/** Where clients come in, over either transport: TLS with the relay's certificate, then a connection. */
export class ClientAcceptor {
  readonly #options: ClientAcceptorOptions;
  readonly #acceptor: Http2Acceptor;
  #certificate: RelayCertificate;
  #worker: QuicWorker | undefined;

  constructor(options: ClientAcceptorOptions) {
    this.#options = options;
    this.#certificate = options.certificate;
    this.#acceptor = acceptHttp2({ ...options.certificate, verifyPeer: (der) => void readPeer(der) });
  }

  /** What clients pin. */
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
    readonly ticketKeysPath?: string;
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
    return this.#worker?.ticket(holder, anywhere);
  }

  /** How QUIC is doing; undefined before `openQuic`. */
  quic(): QuicWorkerFacts | undefined {
    return this.#worker?.facts();
  }

  async close(): Promise<void> {
    await this.#worker?.close();
  }
}
