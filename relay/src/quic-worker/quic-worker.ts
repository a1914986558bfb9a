import { rm } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import type { TransportConnection } from "@porthole/common/link";
import type { EngineChoice, QuicAcceptorStats, TicketKey } from "@porthole/common/link/quic";
import type { Logger } from "@porthole/common/log";
import type { QuicTicket } from "@porthole/common/protocol";
import { Backoff, temporaryFolder, type Clock, type Secret } from "@porthole/common/util";
import { WorkerConnection } from "./worker-connection.ts";
import { WorkerChild } from "./child.ts";
import { ControlWire } from "./control-wire.ts";
import { workerEntry } from "./entry.ts";
import { addStats, noStats, type QuicWorkerFacts } from "./facts.ts";
import { workerLimits } from "./limits.ts";
import { TicketKeyFile } from "./ticket-keys.ts";
import { TicketOffice, type TicketHolder } from "./ticket-office.ts";
import { shownState, type WorkerState } from "./worker-state.ts";
import { controlHead, encodeStreamHead, type FromWorker, type ToWorker } from "./wire.ts";

export interface QuicWorkerOptions {
  /** The address of the UDP port. */
  readonly address: string;
  readonly port: number;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** File that keeps ticket keys. Without one they are only in memory. */
  readonly ticketKeysPath?: string | undefined;
  /** Ticket keys come from it, at all relays and workers that have it; see TicketOffice. */
  readonly ticketSecret?: Secret | undefined;
  /** Whether a client needs a ticket for a handshake. */
  readonly admission: "ticket" | "open";
  /** The best engine that loads if absent. */
  readonly engine?: EngineChoice;
  /** A QUIC worker that holds more is restarted. */
  readonly memoryCapBytes: number;
  /** Bytes that the QUIC worker may hold for visitors of one link that do not read. Defaults to `workerLimits.maxHeldBytesPerLink`. */
  readonly maxHeldBytes?: number;
  /** The system's: what is watched is another process. */
  readonly clock: Clock;
  readonly log: Logger;
  /** A client whose handshake is done. */
  readonly onConnection: (transport: TransportConnection) => void;
  /** The QUIC worker serves: for the first time, or again after it was down. */
  readonly onUp?: () => void;
  /** It has ended and will be started again: why, and how often that has happened. */
  readonly onRestart?: (reason: string, restarts: number) => void;
}

/**
 * The relay's QUIC, in a process of its own that is watched: quiche 0.18 has known ways to hang it or to fill its memory.
 * The death of the process is an ordinary event: its links end, clients continue over HTTP/2, and another process is started.
 * There is one: where several share a UDP port, the kernel sends a client whose address has changed to another one.
 */
export class QuicWorker {
  readonly #options: QuicWorkerOptions;
  readonly #tickets: TicketOffice;
  readonly #keyFile: TicketKeyFile | undefined;
  readonly #backoff = new Backoff(workerLimits.restart);
  readonly #transports = new Map<number, WorkerConnection>();
  #folder = "";
  #port: number;
  #identity: { readonly cert: string; readonly key: string };
  #state: WorkerState = { is: "idle" };
  #lives = 0;
  #restarts = 0;
  #beats = 0;
  #before: QuicAcceptorStats = noStats;
  #now: QuicAcceptorStats = noStats;
  #onFirstOutcome: () => void = () => {};

  constructor(options: QuicWorkerOptions) {
    this.#options = options;
    this.#identity = { cert: options.cert, key: options.key };
    this.#port = options.port;
    const { ticketKeysPath, ticketSecret: secret, clock, log } = options;
    this.#keyFile = ticketKeysPath === undefined || secret ? undefined : new TicketKeyFile(ticketKeysPath, log);
    const onKeys = (keys: readonly TicketKey[]): void => {
      this.#send({ type: "ticket-keys", keys });
      void this.#keyFile?.write(keys);
    };
    this.#tickets = new TicketOffice(clock, onKeys, secret);
  }

  /**
   * Resolves when the QUIC worker is up, or when its first start has gone wrong in a way that another one may mend. Rejects with
   * `address` or `key` when none can. Without QUIC on this machine it resolves to a QUIC worker that is `unavailable`.
   */
  async open(): Promise<void> {
    if (this.#keyFile) {
      this.#tickets.adopt(await this.#keyFile.read());
      await this.#keyFile.write(this.#tickets.keys());
    }
    // Only we may look into it, so only we can reach the QUIC worker.
    this.#folder = await temporaryFolder("porthole-quic-");
    if (this.#state.is === "closing") return this.close();
    const outcome = await new Promise<WorkerState>((resolve) => {
      this.#onFirstOutcome = () => resolve(this.#state);
      this.#start();
    });
    if (outcome.is !== "failed") return;
    await this.close();
    throw outcome.error;
  }

  /** The UDP port; the same for all lives of the process. 0 before the first one. */
  get port(): number {
    return this.#port;
  }

  facts(): QuicWorkerFacts {
    return {
      ...shownState(this.#state),
      pid: this.#child?.pid,
      restarts: this.#restarts,
      beats: this.#beats,
      rssBytes: this.#child?.rssBytes ?? 0,
      memoryCapBytes: this.#options.memoryCapBytes,
      serving: this.#state.is === "up" ? this.#state.engine : undefined,
      links: this.#transports.size,
      engine: addStats(this.#before, this.#now),
    };
  }

  /** For one handshake. Undefined while there is no QUIC. `anywhere`: see TicketOffice.issue. */
  ticket(holder: TicketHolder, anywhere: boolean): QuicTicket | undefined {
    return this.#state.is === "up" ? this.#tickets.issue(holder, anywhere) : undefined;
  }

  /** For links from now on. */
  setCertificate(cert: string, key: string): void {
    this.#identity = { cert, key };
    this.#send({ type: "certificate", cert, key });
  }

  /** Ends all links that are left. */
  async close(): Promise<void> {
    const child = this.#child;
    if (this.#state.is === "up") this.#state.stable.cancel();
    if (this.#state.is === "down") this.#state.retry.cancel();
    this.#state = { is: "closing", child, wire: this.#wire };
    await child?.stop();
    if (this.#folder !== "") await rm(this.#folder, { recursive: true, force: true });
  }

  get #child(): WorkerChild | undefined {
    return "child" in this.#state ? this.#state.child : undefined;
  }

  get #wire(): ControlWire | undefined {
    return "wire" in this.#state ? this.#state.wire : undefined;
  }

  #start(): void {
    const reason = this.#state.is === "down" ? this.#state.reason : undefined;
    try {
      this.#state = { is: "starting", child: this.#spawn(), reason };
    } catch (cause) {
      this.#onEnd("can't be started", PortholeError.from(cause));
    }
  }

  #spawn(): WorkerChild {
    const { address, admission, engine = "auto", memoryCapBytes, maxHeldBytes, clock } = this.#options;
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
        engine,
        ticketKeys: admission === "ticket" ? this.#tickets.keys() : undefined,
        // So that no client can bring the QUIC worker to its cap by visitors who don't read, and end the links of all.
        heldBounds: { perLink: maxHeldBytes ?? workerLimits.maxHeldBytesPerLink, inAll: memoryCapBytes / 2 },
        socketPath,
      },
      memoryCapBytes,
      clock,
      onMessage: (message) => this.#onMessage(message, socketPath),
      onEnd: (why) => this.#onEnd(why, "complaint" in this.#state ? this.#state.complaint : undefined),
    });
  }

  #onMessage(message: FromWorker, socketPath: string): void {
    const { log, clock } = this.#options;
    switch (message.type) {
      case "ready":
        if (this.#state.is !== "starting") return;
        this.#port = message.port;
        this.#state = {
          is: "up",
          child: this.#state.child,
          wire: this.#connectWire(socketPath),
          engine: message.engine,
          stable: clock.timer(workerLimits.restart.stableAfterMs, () => this.#backoff.reset()),
        };
        if (this.#restarts > 0) log.info({ restarts: this.#restarts }, "The QUIC worker is up again");
        this.#options.onUp?.();
        this.#onFirstOutcome();
        return;
      case "failed":
        if (this.#state.is !== "starting" && this.#state.is !== "up") return;
        this.#state = { ...this.#state, complaint: new PortholeError(message.code, message.message, message) };
        return;
      case "certificate-refused":
        log.error({}, `QUIC continues with the old certificate: ${message.message}`);
        return;
      case "beat":
        this.#beats += 1;
        this.#tickets.rotate();
        this.#now = message.stats;
        this.#child?.weighed(message.rssBytes);
        return;
      case "link":
        this.#onLink(message, socketPath);
        return;
      case "excess":
        log.warn(
          { address: this.#transports.get(message.link)?.remote.address },
          "Dropped a visitor that does not read",
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
    if (this.#state.is !== "up") return;
    const client = { peerCertificate: Buffer.from(certificate), remote, maxStreams };
    const { clock } = this.#options;
    const transport = new WorkerConnection(client, {
      link,
      socketPath,
      wire: this.#state.wire,
      clock,
      send: this.#send,
    });
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

  #onEnd(why: string, complaint: PortholeError | undefined): void {
    const { log, clock } = this.#options;
    this.#wire?.destroy();
    if (this.#state.is === "up") this.#state.stable.cancel();
    this.#before = addStats(this.#before, this.#now);
    this.#now = noStats;
    const reason = new PortholeError("closed", complaint?.message ?? `The QUIC worker ${why}`);
    for (const transport of this.#transports.values()) transport.end(reason);
    if (this.#state.is === "closing") this.#state = { is: "closing", child: undefined, wire: undefined };
    else if (complaint?.code === "unavailable") this.#state = { is: "unavailable", error: complaint };
    // A port that it had once is only taken for a moment.
    else if (complaint && this.#restarts === 0) this.#state = { is: "failed", error: complaint };
    else {
      this.#restarts += 1;
      const delayMs = this.#backoff.next();
      this.#options.onRestart?.(reason.message, this.#restarts);
      log.warn({ restarts: this.#restarts, delayMs }, `${reason.message}; clients continue over HTTP/2`);
      this.#state = { is: "down", reason: reason.message, retry: clock.timer(delayMs, () => this.#start()) };
    }
    this.#onFirstOutcome();
  }
}
