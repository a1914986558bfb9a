import net, { type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { splice, type TransportStream, type RemoteAddress } from "@porthole/common/link";
import {
  acceptQuic,
  chooseEngine,
  type EngineName,
  type QuicTransportConnection,
  type QuicAcceptor,
} from "@porthole/common/link/quic";
import { limits } from "@porthole/common/protocol";
import type { Clock, Timer } from "@porthole/common/util";
import { ControlWire, type ControlFrame } from "./control-wire.ts";
import { FramedStream } from "./framed-stream.ts";
import { ReceiveBuffers, streamWindows, type LinkReceiveBuffer } from "./receive-buffers.ts";
import {
  controlHead,
  decodeStreamHead,
  streamHeadBytes,
  type FromWorker,
  type WorkerStart,
  type ToWorker,
} from "./wire.ts";

export interface WorkerServerOptions extends WorkerStart {
  readonly clock: Clock;
  readonly send: (message: FromWorker) => void;
}

/** Sockets that the relay has opened and that were not accepted yet: a crowd of visitors within one turn of our event loop. */
const backlog = 4_096;
/** Control messages that a client has not read. */
const maxUnreadBytes = 16 * limits.maxControlBytes;

interface WorkerLink {
  readonly id: number;
  readonly connection: QuicTransportConnection;
  /** The client's address, as last reported to the relay. */
  remote: RemoteAddress;
  /** Made for the first visitor: most links are idle. */
  visitors: Visitors | undefined;
  /** The relay has to ask for what the client says. */
  deadline: Timer | undefined;
  isAsked: boolean;
  controlEnded: boolean;
  closeReason: PortholeError | undefined;
}

type Abortable = Duplex & Pick<TransportStream, "abort" | "isAborted">;

interface Visitors {
  readonly sockets: Set<FramedStream>;
  readonly held: LinkReceiveBuffer;
}

/** The inside of the QUIC worker: the QUIC port on one side, the relay's sockets on the other. */
export class WorkerServer {
  readonly #options: WorkerServerOptions;
  readonly #links = new Map<number, WorkerLink>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #held: ReceiveBuffers;
  #quic: QuicAcceptor | undefined;
  #wire: ControlWire | undefined;
  #nextLink = 1;

  private constructor(options: WorkerServerOptions) {
    this.#options = options;
    this.#held = new ReceiveBuffers(options.clock, options.heldBounds, streamWindows[this.engine.name]);
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => this.#onSocket(socket));
  }

  /** Opens the UDP port and begins to serve. Rejects as `acceptQuic` does. */
  static async open(options: WorkerServerOptions, init: { readonly signal: AbortSignal }): Promise<WorkerServer> {
    const server = new WorkerServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen({ path: options.socketPath, backlog }, resolve);
    });
    try {
      server.#quic = await acceptQuic(options, init);
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

  /** The engine that serves, and the reason for the choice. */
  get engine(): { readonly name: EngineName; readonly why: string } {
    const { engine, why } = chooseEngine(this.#options.engine);
    return { name: engine.name, why };
  }

  /** Resolves when the engine has lost its port. */
  get lost(): Promise<PortholeError> {
    return this.#quic?.lost ?? new Promise(() => {});
  }

  get port(): number {
    return this.#quic?.address.port ?? 0;
  }

  /** Handles a message of the relay. */
  receive(message: Exclude<ToWorker, { type: "start" }>): void {
    if (message.type === "certificate") {
      this.#replaceCertificate(message);
      return;
    }
    if (message.type === "ticket-keys") {
      this.#quic?.setTicketKeys(message.keys);
      return;
    }
    const link = this.#links.get(message.link);
    if (!link) return;
    const reason = new PortholeError(message.code, message.message);
    if (message.type === "destroy") {
      link.connection.destroy(reason);
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

  async #serve(quic: QuicAcceptor): Promise<void> {
    for await (const connection of quic.incoming) this.#announce(connection);
  }

  #announce(connection: QuicTransportConnection): void {
    const { clock, send } = this.#options;
    const id = this.#nextLink++;
    const { control, remote } = connection;
    const link: WorkerLink = {
      id,
      connection,
      remote,
      visitors: undefined,
      deadline: clock.timer(limits.admissionDeadlineMs, () =>
        connection.destroy(new PortholeError("timeout", "The relay did not take a new link")),
      ),
      isAsked: false,
      controlEnded: false,
      closeReason: undefined,
    };
    this.#links.set(id, link);
    send({
      type: "link",
      link: id,
      certificate: connection.peerCertificate ?? Buffer.alloc(0),
      remote,
      maxStreams: connection.maxStreams,
    });
    connection.peerCertificate = undefined;
    control.on("readable", () => this.#passOn(link));
    control.on("end", () => this.#wire?.send("end", id));
    void connection.closed.then((reason) => {
      link.deadline?.cancel();
      this.#links.delete(id);
      for (const socket of link.visitors?.sockets ?? []) socket.destroy();
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
    const rest = head.subarray(streamHeadBytes);
    if (id === controlHead.link) {
      this.#wire = new ControlWire(socket, (frame) => this.#onControl(frame), rest);
      return;
    }
    const link = this.#links.get(id);
    if (link) this.#joinStream(link, new FramedStream(socket, rest), stream);
    else socket.destroy();
  }

  #onControl({ kind, link: id, bytes }: ControlFrame): void {
    const link = this.#links.get(id);
    if (!link) return;
    const { control } = link.connection;
    switch (kind) {
      case "more":
        link.deadline?.cancel();
        link.deadline = undefined;
        link.isAsked = true;
        this.#passOn(link);
        return;
      case "bytes":
        control.write(bytes);
        if (control.writableLength > maxUnreadBytes)
          link.connection.destroy(new PortholeError("limit", "The client does not read its control stream"));
        return;
      case "end":
        // The relay closes the link, for which QUIC has a word of its own.
        link.controlEnded = true;
        this.#closeInOrder(link);
        return;
    }
  }

  /** Passes on what the relay has asked for. The rest stays in the engine, and its window stops the client. */
  #passOn(link: WorkerLink): void {
    if (!link.isAsked) return;
    const { connection, id } = link;
    const bytes = connection.control.read() as Buffer | null;
    if (!bytes) return;
    link.isAsked = false;
    this.#wire?.send("bytes", id, bytes);
    // A client that moves says so with its next heartbeat at the latest.
    const { remote } = connection;
    if (remote.address === link.remote.address && remote.port === link.remote.port) return;
    link.remote = remote;
    this.#options.send({ type: "moved", link: id, remote });
  }

  #joinStream(link: WorkerLink, framed: FramedStream, id: number): void {
    framed.on("error", () => {});
    const { sockets, held } = (link.visitors ??= this.#visitorsOf(link));
    sockets.add(framed);
    framed.on("close", () => sockets.delete(framed));
    try {
      const stream = link.connection.openStream(id);
      passOnAbandonment(framed, stream);
      passOnAbandonment(stream, framed);
      splice(framed, stream, () => {});
      held.watch(stream);
    } catch (reason) {
      framed.destroy(PortholeError.from(reason));
    }
  }

  #visitorsOf({ id }: WorkerLink): Visitors {
    const { send } = this.#options;
    const held = this.#held.link((stream) => send({ type: "excess", link: id, stream: stream.id }));
    return { sockets: new Set(), held };
  }

  #closeInOrder(link: WorkerLink): void {
    if (link.closeReason && link.controlEnded) void link.connection.close(link.closeReason);
  }
}

/** Before `splice` passes the end on as one of a whole direction. */
function passOnAbandonment(from: Abortable, to: Abortable): void {
  from.on("end", () => {
    if (from.isAborted) to.abort?.();
  });
}
