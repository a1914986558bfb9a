import { rm } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import type { TransportConnection } from "@porthole/common/link";
import type { QuicAcceptorStats } from "@porthole/common/link/quic";
import type { Logger } from "@porthole/common/log";
import type { QuicTicket } from "@porthole/common/protocol";
import { Backoff, temporaryFolder, type Clock, type Timer } from "@porthole/common/util";
import { WorkerConnection } from "./worker-connection.ts";
import { WorkerChild } from "./child.ts";
import { ControlWire } from "./control-wire.ts";
import { workerEntry } from "./entry.ts";
import { addStats, noStats, type QuicWorkerFacts } from "./facts.ts";
import { workerLimits } from "./limits.ts";
import { TicketOffice, type TicketHolder } from "./ticket-office.ts";
import { controlHead, encodeStreamHead, type FromWorker, type ToWorker } from "./wire.ts";

export interface QuicWorkerOptions {
  /** Of the UDP port. */
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Whether a client needs a ticket for a handshake. */
  readonly admission: "ticket" | "open";
  /** A QUIC worker that holds more is ended and started anew. */
  readonly memoryCapBytes: number;
  /** What one link may make the QUIC worker hold for visitors who don't read; workerLimits.maxHeldBytesPerLink if absent. */
  readonly maxHeldBytes?: number;
  /** The system's: what is watched is another process. */
  readonly clock: Clock;
  readonly log: Logger;
  /** A client whose handshake is done. */
  readonly onConnection: (transport: TransportConnection) => void;
  /** The QUIC worker serves: for the first time, or again after it was down. */
  readonly onUp?: () => void;
}

/**
 * The relay's QUIC, in a process of its own that is watched: quiche 0.18 has known ways to hang it or to fill its memory.
 * The death of the process is an ordinary event: its links end, clients go on over HTTP/2, and another process is started.
 * There is one: where several share a UDP port, the kernel sends a client whose address has changed to another one.
 */
export class QuicWorker {
  readonly #options: QuicWorkerOptions;
  readonly #tickets: TicketOffice;
  readonly #backoff = new Backoff(workerLimits.restart);
  readonly #transports = new Map<number, WorkerConnection>();
  #folder = "";
  #port: number;
  #identity: { readonly cert: string; readonly key: string };
  #child: WorkerChild | undefined;
  #wire: ControlWire | undefined;
  #state: QuicWorkerFacts["state"] = "starting";
  #reason: string | undefined;
  /** Why there is no point in another start. */
  #failure: PortholeError | undefined;
  #lives = 0;
  #restarts = 0;
  #beats = 0;
  /** What the present process has said about its end. */
  #complaint: string | undefined;
  #before: QuicAcceptorStats = noStats;
  #now: QuicAcceptorStats = noStats;
  #timer: Timer | undefined;
  #stable: Timer | undefined;
  #closing = false;
  #onFirstOutcome: () => void = () => {};

  constructor(options: QuicWorkerOptions) {
    this.#options = options;
    this.#identity = { cert: options.cert, key: options.key };
    this.#port = options.port;
    this.#tickets = new TicketOffice(options.clock, (keys) => this.#child?.send({ type: "ticket-keys", keys }));
  }

  /**
   * Resolves when the QUIC worker is up, or when its first start has gone wrong in a way that another one may mend. Rejects with
   * `address` or `key` when none can. Without QUIC on this machine it resolves to a QUIC worker that is `unavailable`.
   */
  async open(): Promise<void> {
    // Only we may look into it, so only we can reach the QUIC worker.
    this.#folder = await temporaryFolder("porthole-quic-");
    if (this.#closing) return this.close();
    await new Promise<void>((resolve) => {
      this.#onFirstOutcome = resolve;
      this.#start();
    });
    if (!this.#failure || this.#state === "unavailable") return;
    await this.close();
    throw this.#failure;
  }

  /** Of UDP; the same for all lives of the process. 0 before the first one. */
  get port(): number {
    return this.#port;
  }

  facts(): QuicWorkerFacts {
    return {
      state: this.#state,
      reason: this.#reason,
      pid: this.#child?.pid,
      restarts: this.#restarts,
      beats: this.#beats,
      rssBytes: this.#child?.rssBytes ?? 0,
      memoryCapBytes: this.#options.memoryCapBytes,
      links: this.#transports.size,
      engine: addStats(this.#before, this.#now),
    };
  }

  /** For one handshake. Undefined while there is no QUIC. `anywhere`: see TicketOffice.issue. */
  ticket(holder: TicketHolder, anywhere: boolean): QuicTicket | undefined {
    return this.#state === "up" ? this.#tickets.issue(holder, anywhere) : undefined;
  }

  /** For links from now on. */
  setCertificate(cert: string, key: string): void {
    this.#identity = { cert, key };
    this.#child?.send({ type: "certificate", cert, key });
  }

  /** Ends all links that are left. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    this.#stable?.cancel();
    await this.#child?.stop();
    if (this.#folder !== "") await rm(this.#folder, { recursive: true, force: true });
  }

  #start(): void {
    try {
      this.#child = this.#spawn();
    } catch (reason) {
      this.#onFailure(PortholeError.from(reason));
      this.#onEnd("can't be started");
    }
  }

  #spawn(): WorkerChild {
    const { address, admission, memoryCapBytes, maxHeldBytes, clock } = this.#options;
    this.#state = "starting";
    this.#complaint = undefined;
    this.#lives += 1;
    const socketPath =
      process.platform === "win32"
        ? `\\\\.\\pipe\\${this.#folder.replaceAll("\\", "-")}-${this.#lives}`
        : join(this.#folder, `${this.#lives}.sock`);
    return new WorkerChild({
      entry: workerEntry(),
      start: {
        address,
        port: this.#port,
        ...this.#identity,
        ticketKeys: admission === "ticket" ? this.#tickets.keys() : undefined,
        // So that no client can bring the QUIC worker to its cap by visitors who don't read, and end the links of all.
        heldBounds: { perLink: maxHeldBytes ?? workerLimits.maxHeldBytesPerLink, inAll: memoryCapBytes / 2 },
        socketPath,
      },
      memoryCapBytes,
      clock,
      onMessage: (message) => this.#onMessage(message, socketPath),
      onEnd: (why) => this.#onEnd(why),
    });
  }

  #onMessage(message: FromWorker, socketPath: string): void {
    const { log, clock } = this.#options;
    switch (message.type) {
      case "ready":
        this.#state = "up";
        this.#port = message.port;
        this.#wire = this.#connectWire(socketPath);
        this.#reason = undefined;
        this.#stable = clock.timer(workerLimits.restart.stableAfterMs, () => this.#backoff.reset());
        if (this.#restarts > 0) log.info({ restarts: this.#restarts }, "The QUIC worker is up again");
        this.#options.onUp?.();
        this.#onFirstOutcome();
        return;
      case "failed":
        this.#onFailure(new PortholeError(message.code, message.message, message));
        return;
      case "certificate-refused":
        log.error({}, `QUIC goes on with the old certificate: ${message.message}`);
        return;
      case "beat":
        this.#beats += 1;
        this.#now = message.stats;
        this.#child?.weighed(message.rssBytes);
        return;
      case "link":
        this.#onLink(message, socketPath);
        return;
      case "excess":
        log.warn(
          { address: this.#transports.get(message.link)?.remote.address },
          "Gave up a visitor who does not read",
        );
        this.#transports.get(message.link)?.giveUp(message.stream);
        return;
      case "moved": {
        const transport = this.#transports.get(message.link);
        if (transport) transport.remote = message.remote;
        return;
      }
      case "closed":
        this.#transports.get(message.link)?.end(new PortholeError(message.code, message.message));
        return;
    }
  }

  #onLink({ link, certificate, remote, maxStreams }: Extract<FromWorker, { type: "link" }>, socketPath: string): void {
    // The QUIC worker has no clients before it is ready.
    if (!this.#wire) return;
    const client = { peerCertificate: Buffer.from(certificate), remote, maxStreams };
    const { clock } = this.#options;
    const transport = new WorkerConnection(client, { link, socketPath, wire: this.#wire, clock, send: this.#send });
    this.#transports.set(link, transport);
    void transport.closed.then(() => this.#transports.delete(link));
    this.#options.onConnection(transport);
  }

  readonly #send = (order: ToWorker): void => this.#child?.send(order);

  #connectWire(socketPath: string): ControlWire {
    const socket = net.connect(socketPath);
    socket.write(encodeStreamHead(controlHead));
    return new ControlWire(socket, (frame) => this.#transports.get(frame.link)?.control.receive(frame));
  }

  /** The QUIC worker says that it can't. A port that it had once is only taken for a moment. */
  #onFailure(error: PortholeError): void {
    this.#complaint = error.message;
    if (error.code === "unavailable") this.#state = "unavailable";
    if (error.code === "unavailable" || this.#restarts === 0) this.#failure = error;
  }

  #onEnd(why: string): void {
    const { log, clock } = this.#options;
    this.#child = undefined;
    this.#wire?.destroy();
    this.#wire = undefined;
    this.#before = addStats(this.#before, this.#now);
    this.#now = noStats;
    this.#stable?.cancel();
    const reason = new PortholeError("closed", this.#complaint ?? `The QUIC worker ${why}`);
    this.#reason = reason.message;
    for (const transport of this.#transports.values()) transport.end(reason);
    if (this.#closing || this.#failure) {
      if (this.#state !== "unavailable") this.#state = "down";
      this.#onFirstOutcome();
      return;
    }
    this.#state = "down";
    this.#restarts += 1;
    const delayMs = this.#backoff.next();
    log.warn({ restarts: this.#restarts, delayMs }, `${reason.message}; clients go on over HTTP/2`);
    this.#timer = clock.timer(delayMs, () => this.#start());
    this.#onFirstOutcome();
  }
}
