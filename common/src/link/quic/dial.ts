import { randomBytes } from "node:crypto";
import dns from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import { PortholeError } from "../../errors.ts";
import { limits } from "../../protocol/protocol.ts";
import { orAbort, withDeadline } from "../../util/abort.ts";
import { systemClock, type Clock } from "../../util/clock.ts";
import type { Carrier, RemoteAddress } from "../types.ts";
import { loadBinding, type QuicheBinding, type QuicheConfig } from "./binding.ts";
import { QuicCarrier } from "./carrier.ts";
import { clientConfig, defaultPacketBytes, type EngineOptions, type QuicTrust } from "./config.ts";
import { Connection } from "./connection.ts";
import { fromSocketFailure } from "./errors.ts";
import { connectionIdBytes } from "./packet.ts";
import { UdpSocket } from "./udp-socket.ts";

export interface DialQuicOptions extends EngineOptions {
  readonly host: string;
  readonly port: number;
  readonly trust: QuicTrust;
  /** The name that is asked for and that the certificate must have; the host if it is absent. */
  readonly serverName?: string;
  /** What the relay reads before any handshake: the client's own connection id, exactly 20 bytes. Random if absent. */
  readonly sourceId?: Buffer;
  readonly handshakeTimeoutMs?: number;
  readonly clock?: Clock;
}

/**
 * The client's half: a connection with its handshake done, on a UDP socket of its own. Works in Electron.
 * Rejects with `unavailable`, `key`, `unreachable`, `timeout`, `untrusted`, `protocol`, or the signal's reason.
 * With TLS 1.3 the client is done before the relay has looked at its certificate, so a refusal comes as the carrier's end.
 */
export async function dialQuic(options: DialQuicOptions, context: { readonly signal: AbortSignal }): Promise<Carrier> {
  context.signal.throwIfAborted();
  const what = `QUIC to ${options.host}:${options.port}`;
  const binding = loadBinding();
  const serverName = options.serverName ?? options.host;
  const config = clientConfig(binding, options, options.trust, serverName);
  const clock = options.clock ?? systemClock;
  const delayMs = options.handshakeTimeoutMs ?? limits.quicHandshakeMs;
  return await withDeadline({ clock, delayMs, what, signal: context.signal }, async (signal) => {
    const remote = await orAbort(signal, resolve(options, what));
    signal.throwIfAborted();
    return await connect({ binding, config, options, remote, serverName, clock, what, signal });
  });
}

interface Attempt {
  readonly binding: QuicheBinding;
  readonly config: QuicheConfig;
  readonly options: DialQuicOptions;
  readonly remote: RemoteAddress;
  readonly serverName: string;
  readonly clock: Clock;
  readonly what: string;
  readonly signal: AbortSignal;
}

async function connect(attempt: Attempt): Promise<Carrier> {
  const { binding, config, options, remote, serverName, clock, what, signal } = attempt;
  let connection: Connection | undefined;
  // Not connected to the relay's address: then the system picks the way of each packet, and the link outlives a change of network.
  const socket = await UdpSocket.open({
    address: isIPv6(remote.address) ? "::" : "0.0.0.0",
    port: 0,
    packetBytes: options.packetBytes ?? defaultPacketBytes,
    onDatagram: (datagram, from) => {
      if (from.port === remote.port && from.address === remote.address) connection?.receive(datagram, from);
    },
  });
  return await new Promise<Carrier>((succeed, fail) => {
    const onAbort = (): void => connection?.destroy(PortholeError.from(signal.reason));
    let over: ((reason: PortholeError) => void) | undefined;
    const closed = new Promise<PortholeError>((done) => {
      over = (reason) => void socket.close().then(() => done(reason));
    });
    // The engine wants to know the pair of addresses of a path; the socket's own one is a wildcard, and always the same.
    const local = { host: socket.local.address, port: socket.local.port };
    const sourceId = options.sourceId ?? randomBytes(connectionIdBytes);
    const sni = isIP(serverName) || options.trust.kind === "pinned" ? undefined : serverName;
    const there = { host: remote.address, port: remote.port };
    connection = new Connection({
      engine: binding.Connection.connect(sni, sourceId, local, there, config),
      side: "client",
      what,
      local: socket.local,
      remote,
      clock,
      sender: socket,
      maxStreams: 0,
      onEstablished: () => {
        signal.removeEventListener("abort", onAbort);
        if (connection) succeed(new QuicCarrier({ connection, clock, peerCertificate: undefined, closed }));
      },
      onOver: (reason) => {
        signal.removeEventListener("abort", onAbort);
        over?.(reason);
        // After the handshake this changes nothing.
        void closed.then(fail);
      },
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else connection.start();
  });
}

async function resolve({ host, port }: DialQuicOptions, what: string): Promise<RemoteAddress> {
  if (isIP(host)) return { address: host, port };
  try {
    const { address } = await dns.lookup(host);
    return { address, port };
  } catch (reason) {
    throw fromSocketFailure(reason, what);
  }
}
