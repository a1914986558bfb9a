import { isIPv6 } from "node:net";
import { PortholeError } from "../../../errors.ts";
import { alpn } from "../../../protocol/protocol.ts";
import { AsyncQueue } from "../../../util/async-queue.ts";
import { systemClock, type Clock, type Timer } from "../../../util/clock.ts";
import type { RemoteAddress } from "../../types.ts";
import { hostPort, loadBinding, type QuicheBinding, type QuicheConfig, type QuicheConnection } from "./binding.ts";
import {
  defaultPacketBytes,
  noDrops,
  type AcceptQuicOptions,
  type DropReason,
  type QuicAcceptor,
  type QuicAcceptorStats,
  type QuicTransportConnection,
} from "../options.ts";
import { QuicheTransportConnection } from "./transport-connection.ts";
import { isPaced, relayConfig } from "./config.ts";
import { Connection } from "./connection.ts";
import { deferred } from "../deferred.ts";
import { connectionKey, destinationKey } from "./packet.ts";
import { PacketGate, openAdmission, type Admission, type Verdict } from "./gate/packet-gate.ts";
import { TicketGate } from "./gate/ticket-gate.ts";
import type { TicketKey } from "../ticket.ts";
import { UdpSocket } from "./udp-socket.ts";
import { limits } from "../../limits.ts";

export interface QuicheAcceptOptions extends AcceptQuicOptions {
  /** Instead of `ticketKeys`: who may have a handshake at all. */
  readonly admission?: Admission;
}

/** TransportConnections that nobody has taken yet. */
const maxWaitingConnections = 1_024;
const maxHandshakes = 128;

/** The relay's half: one UDP socket for all clients. Rejects with `unavailable`, `key` or `address`. Needs plain Node. */
export async function acceptQuiche(
  options: QuicheAcceptOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<UdpAcceptor> {
  signal.throwIfAborted();
  if (process.versions["electron"] !== undefined)
    throw new PortholeError(
      "unavailable",
      "QUIC can't listen inside Electron, which refuses to read certificates back",
    );
  const binding = loadBinding();
  const acceptor = new UdpAcceptor(binding, options);
  await acceptor.open();
  if (signal.aborted) {
    await acceptor.close();
    signal.throwIfAborted();
  }
  return acceptor;
}

/** Exported for tests, which can't send from port 0. */
export class UdpAcceptor implements QuicAcceptor {
  readonly incoming = new AsyncQueue<QuicTransportConnection>(maxWaitingConnections);
  readonly #binding: QuicheBinding;
  readonly #options: QuicheAcceptOptions;
  readonly #clock: Clock;
  readonly #admission: Admission;
  readonly #tickets: TicketGate | undefined;
  /** A socket that fails is a matter of datagrams here. */
  readonly lost = new Promise<PortholeError>(() => {});
  readonly #gate: PacketGate;
  readonly #connections = new Map<string, Connection>();
  readonly #dropped: Record<DropReason, number> = { ...noDrops };
  #config: QuicheConfig;
  #socket: UdpSocket | undefined;
  #handshakes = 0;
  #accepted = 0;
  #answered = 0;
  #closing = false;

  constructor(binding: QuicheBinding, options: QuicheAcceptOptions) {
    this.#binding = binding;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#config = relayConfig(binding, options);
    this.#tickets = options.ticketKeys && new TicketGate(this.#clock, options.ticketKeys);
    this.#admission = options.admission ?? this.#tickets ?? openAdmission;
    this.#gate = new PacketGate({
      binding,
      clock: this.#clock,
      admission: this.#admission,
      maxHandshakes: options.maxHandshakes ?? maxHandshakes,
    });
  }

  async open(): Promise<void> {
    this.#socket = await UdpSocket.open({
      address: this.#options.address,
      port: this.#options.port,
      packetBytes: this.#options.packetBytes ?? defaultPacketBytes,
      onDatagram: (datagram, from) => this.receive(datagram, from),
    });
  }

  get address(): RemoteAddress {
    return this.#opened.local;
  }

  setCertificate(cert: string, key: string): void {
    this.#config = relayConfig(this.#binding, { ...this.#options, cert, key });
  }

  setTicketKeys(keys: readonly TicketKey[]): void {
    this.#tickets?.setKeys(keys);
  }

  stats(): QuicAcceptorStats {
    return {
      connections: this.#connections.size,
      handshakes: this.#handshakes,
      accepted: this.#accepted,
      answered: this.#answered,
      dropped: { ...this.#dropped },
      sendFailures: this.#opened.failures,
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    const reason = new PortholeError("closed", "The relay has closed its QUIC port");
    for (const connection of this.#connections.values()) connection.destroy(reason);
    this.incoming.end();
    await this.#opened.close();
  }

  get #opened(): UdpSocket {
    if (!this.#socket) throw new PortholeError("internal", "The QUIC listener is not open");
    return this.#socket;
  }

  receive(datagram: Buffer, from: RemoteAddress): void {
    if (this.#closing) return;
    if (from.port === 0) {
      this.#dropped["port-0"] += 1;
      return;
    }
    const key = destinationKey(datagram);
    const known = key === undefined ? undefined : this.#connections.get(key);
    if (known) known.receive(datagram, from);
    else this.#onStranger(datagram, from);
  }

  #onStranger(datagram: Buffer, from: RemoteAddress): void {
    const verdict = this.#gate.judge(datagram, from, this.#handshakes);
    switch (verdict.kind) {
      case "drop":
        this.#dropped[verdict.reason] += 1;
        return;
      case "answer":
        this.#answered += 1;
        this.#opened.send(verdict.packet, verdict.packet.length, from);
        return;
      case "accept":
        this.#accept(verdict, from)?.receive(datagram, from);
        return;
    }
  }

  #accept(
    { id, originalId, sourceId }: Extract<Verdict, { kind: "accept" }>,
    from: RemoteAddress,
  ): Connection | undefined {
    const socket = this.#opened;
    const key = connectionKey(id);
    const what = `QUIC from ${isIPv6(from.address) ? `[${from.address}]` : from.address}:${from.port}`;
    let engine: QuicheConnection;
    try {
      engine = this.#binding.Connection.accept(id, originalId, hostPort(socket.local), hostPort(from), this.#config);
    } catch {
      // An address that the engine can't read (an IPv6 one with a zone), or no memory: a stranger's loss, not ours.
      this.#dropped.malformed += 1;
      return undefined;
    }
    // Let go with the handshake: it is a piece of a large block of memory.
    let holder: Buffer | undefined = sourceId;
    const { promise: closed, resolve: onOver } = deferred<PortholeError>();
    let deadline: Timer | undefined;
    const handshakeIsOver = (): void => {
      if (!deadline) return;
      deadline.cancel();
      deadline = undefined;
      this.#handshakes -= 1;
    };
    const connection = new Connection({
      engine,
      side: "relay",
      what,
      local: socket.local,
      remote: from,
      clock: this.#clock,
      sender: socket,
      isPaced: isPaced(this.#options),
      maxStreams: limits.maxStreamsPerLink,
      onEstablished: () => {
        handshakeIsOver();
        const certificate = engine.peerCertChain()?.[0];
        const protocol = Buffer.from(engine.applicationProto()).toString("latin1");
        if (!certificate || protocol !== alpn.quic || engine.isResumed()) {
          connection.destroy(new PortholeError("protocol", `${what}: no certificate, or not our protocol`));
          return;
        }
        const peerCertificate = Buffer.from(certificate);
        const isFor = holder !== undefined && this.#admission.isFor(holder, peerCertificate);
        holder = undefined;
        if (!isFor) {
          connection.destroy(new PortholeError("unauthorized", `${what}: the ticket is for another key`));
          return;
        }
        const transport = new QuicheTransportConnection({ connection, clock: this.#clock, peerCertificate, closed });
        if (!this.incoming.push(transport)) transport.destroy(new PortholeError("busy", "Too many clients at once"));
      },
      onOver: (reason) => {
        handshakeIsOver();
        this.#connections.delete(key);
        onOver(reason);
      },
    });
    deadline = this.#clock.timer(this.#options.handshakeTimeoutMs ?? limits.quicHandshakeMs, () => {
      connection.destroy(new PortholeError("timeout", `${what}: the handshake took too long`));
    });
    this.#handshakes += 1;
    this.#accepted += 1;
    this.#connections.set(key, connection);
    return connection;
  }
}
