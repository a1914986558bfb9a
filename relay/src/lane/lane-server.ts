import net, { type Server, type Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { splice } from "@porthole/common/link";
import { listenQuic, openAdmission, TicketGate, type QuicCarrier, type QuicListener } from "@porthole/common/link/quic";
import { limits } from "@porthole/common/protocol";
import type { Clock, Timer } from "@porthole/common/util";
import { FramedStream } from "./framed-stream.ts";
import { HeldBytes, type LinkHeld } from "./held-bytes.ts";
import { decodeStreamHead, streamHeadBytes, type FromLane, type LaneStart, type ToLane } from "./wire.ts";

export interface LaneServerOptions extends LaneStart {
  readonly clock: Clock;
  readonly send: (message: FromLane) => void;
}

/** Sockets that the relay has opened and that were not accepted yet: a crowd of visitors within one turn of our event loop. */
const backlog = 4_096;

interface LaneLink {
  readonly carrier: QuicCarrier;
  readonly sockets: Set<FramedStream>;
  readonly held: LinkHeld;
  /** The relay has to send for the control stream. */
  deadline: Timer | undefined;
  controlEnded: boolean;
  closeReason: PortholeError | undefined;
}

/** The inside of the lane: the QUIC port on one side, the relay's sockets on the other. */
export class LaneServer {
  readonly #options: LaneServerOptions;
  readonly #links = new Map<number, LaneLink>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #tickets: TicketGate | undefined;
  readonly #held: HeldBytes;
  #quic: QuicListener | undefined;
  #nextLink = 1;

  private constructor(options: LaneServerOptions) {
    this.#options = options;
    this.#tickets = options.ticketKeys && new TicketGate(options.clock, options.ticketKeys);
    this.#held = new HeldBytes(options.clock, options.heldBounds);
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => this.#onSocket(socket));
  }

  /** Opens the UDP port and begins to serve. Rejects as `listenQuic` does. */
  static async open(options: LaneServerOptions, init: { readonly signal: AbortSignal }): Promise<LaneServer> {
    const server = new LaneServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen({ path: options.socketPath, backlog }, resolve);
    });
    try {
      server.#quic = await listenQuic({ ...options, admission: server.#tickets ?? openAdmission }, init);
    } catch (reason) {
      await server.close();
      throw reason;
    }
    void server.#serve(server.#quic);
    return server;
  }

  get socketPath(): string {
    return this.#options.socketPath;
  }

  get port(): number {
    return this.#quic?.address.port ?? 0;
  }

  /** Handles what the relay says. */
  receive(message: Exclude<ToLane, { type: "start" }>): void {
    if (message.type === "certificate") {
      this.#replaceCertificate(message);
      return;
    }
    if (message.type === "ticket-keys") {
      this.#tickets?.setKeys(message.keys);
      return;
    }
    const link = this.#links.get(message.link);
    if (!link) return;
    const reason = new PortholeError(message.code, message.message);
    if (message.type === "destroy") {
      link.carrier.destroy(reason);
    } else {
      link.closeReason = reason;
      this.#closeInOrder(link);
    }
  }

  beat(): void {
    if (!this.#quic) return;
    this.#options.send({ type: "beat", stats: this.#quic.stats(), rssBytes: process.memoryUsage.rss() });
  }

  /** Tells every client, and releases everything. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await this.#quic?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #replaceCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    try {
      this.#quic?.setCertificate(cert, key);
    } catch (reason) {
      this.#options.send({ type: "certificate-refused", message: PortholeError.from(reason).message });
    }
  }

  async #serve(quic: QuicListener): Promise<void> {
    for await (const carrier of quic.incoming) this.#announce(carrier);
  }

  #announce(carrier: QuicCarrier): void {
    const { clock, send } = this.#options;
    const id = this.#nextLink++;
    const link: LaneLink = {
      carrier,
      sockets: new Set(),
      held: this.#held.link((stream) => send({ type: "excess", link: id, stream: stream.id })),
      deadline: clock.timer(limits.admissionDeadlineMs, () =>
        carrier.destroy(new PortholeError("timeout", "The relay did not send for a new link")),
      ),
      controlEnded: false,
      closeReason: undefined,
    };
    this.#links.set(id, link);
    let { remote } = carrier;
    send({
      type: "link",
      link: id,
      certificate: carrier.peerCertificate ?? Buffer.alloc(0),
      remote,
      maxStreams: carrier.maxStreams,
    });
    // Whoever moves says so with its next heartbeat at the latest.
    carrier.control.on("data", () => {
      const { address, port } = carrier.remote;
      if (address === remote.address && port === remote.port) return;
      remote = carrier.remote;
      send({ type: "moved", link: id, remote });
    });
    carrier.control.pause();
    void carrier.closed.then((reason) => {
      link.deadline?.cancel();
      this.#links.delete(id);
      for (const socket of link.sockets) socket.destroy();
      send({ type: "closed", link: id, code: reason.code, message: reason.message });
    });
  }

  #onSocket(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let head: Buffer = Buffer.alloc(0);
    const onEnd = (): void => void socket.destroy();
    const onData = (chunk: Buffer): void => {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < streamHeadBytes) return;
      socket.off("data", onData);
      socket.off("end", onEnd);
      this.#adopt(socket, head);
    };
    socket.on("data", onData);
    socket.on("end", onEnd);
  }

  #adopt(socket: Socket, head: Buffer): void {
    const { link: id, stream } = decodeStreamHead(head);
    const link = this.#links.get(id);
    if (!link) {
      socket.destroy();
      return;
    }
    const framed = new FramedStream(socket, { head: head.subarray(streamHeadBytes) });
    framed.on("error", () => {});
    link.sockets.add(framed);
    framed.on("close", () => link.sockets.delete(framed));
    if (stream === 0) this.#joinControl(link, framed);
    else this.#joinStream(link, framed, stream);
  }

  #joinControl(link: LaneLink, framed: FramedStream): void {
    link.deadline?.cancel();
    const { control } = link.carrier;
    // Its end means that the relay closes the link, for which QUIC has a word of its own.
    framed.pipe(control, { end: false });
    framed.on("end", () => {
      link.controlEnded = true;
      this.#closeInOrder(link);
    });
    control.pipe(framed);
    control.on("close", () => framed.destroy());
  }

  #joinStream(link: LaneLink, framed: FramedStream, id: number): void {
    try {
      const stream = link.carrier.openStream(id);
      splice(framed, stream, () => {});
      link.held.watch(stream);
    } catch (reason) {
      framed.destroy(PortholeError.from(reason));
    }
  }

  #closeInOrder(link: LaneLink): void {
    if (link.closeReason && link.controlEnded) void link.carrier.close(link.closeReason);
  }
}
