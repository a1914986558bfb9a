import { randomBytes } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import { PortholeError } from "../../../errors.ts";
import { orAbort, withDeadline } from "../../../util/abort.ts";
import { systemClock, type Clock } from "../../../util/clock.ts";
import { watchNativeCalls } from "../../../util/native-calls.ts";
import type { TransportConnection, RemoteAddress } from "../../types.ts";
import { hostPort, loadBinding, type HostPort, type QuicheConnection } from "./binding.ts";
import { QuicheTransportConnection } from "./transport-connection.ts";
import { defaultPacketBytes, resolveRelay, type DialQuicOptions } from "../options.ts";
import { clientConfig, isPaced } from "./config.ts";
import { Connection } from "./connection.ts";
import { deferred } from "../deferred.ts";
import { connectionIdBytes } from "../ticket.ts";
import { UdpSocket } from "./udp-socket.ts";
import { limits } from "../../limits.ts";

/** What works on packets: the rest reads a field. */
const mayHang = ["recv", "send", "streamRecv", "streamSend", "onTimeout", "close"] as const;

/**
 * The client's half: a connection with its handshake done, on a UDP socket of its own. Works in Electron.
 * Rejects with `unavailable`, `key`, `unreachable`, `timeout`, `untrusted`, `protocol`, or the signal's reason.
 * With TLS 1.3 the client is done before the relay has looked at its certificate, so a refusal comes as the transport's end.
 */
export async function dialQuiche(
  options: DialQuicOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<TransportConnection> {
  signal.throwIfAborted();
  const { sourceId = randomBytes(connectionIdBytes), trust, clock = systemClock } = options;
  if (sourceId.length !== connectionIdBytes)
    throw new PortholeError("internal", `A connection id has ${connectionIdBytes} bytes, not ${sourceId.length}`);
  const what = `QUIC to ${options.host}:${options.port}`;
  const serverName = options.serverName ?? options.host;
  const binding = loadBinding();
  const config = clientConfig(binding, options, trust, serverName);
  const sni = isIP(serverName) || trust.kind === "pinned" ? undefined : serverName;
  const attempt: Attempt = {
    what,
    clock,
    packetBytes: options.packetBytes ?? defaultPacketBytes,
    isPaced: isPaced(options),
    engine: (local, remote) =>
      watchNativeCalls(binding.Connection.connect(sni, sourceId, local, remote, config), mayHang),
  };
  const delayMs = options.handshakeTimeoutMs ?? limits.quicHandshakeMs;
  return withDeadline({ clock, delayMs, what, signal }, async (attemptSignal) => {
    const remote = await orAbort(attemptSignal, resolveRelay(options));
    return connect(attempt, remote, attemptSignal);
  });
}

interface Attempt {
  readonly what: string;
  readonly clock: Clock;
  readonly packetBytes: number;
  readonly isPaced: boolean;
  engine(local: HostPort, remote: HostPort): QuicheConnection;
}

async function connect(attempt: Attempt, remote: RemoteAddress, signal: AbortSignal): Promise<TransportConnection> {
  const { what, clock } = attempt;
  let connection: Connection | undefined;
  // Not connected to the relay's address: then the system picks the way of each packet, and the link outlives a change of network.
  const socket = await UdpSocket.open({
    address: isIPv6(remote.address) ? "::" : "0.0.0.0",
    port: 0,
    packetBytes: attempt.packetBytes,
    onDatagram: (datagram, from) => {
      if (from.port === remote.port && from.address === remote.address) connection?.receive(datagram, from);
    },
  });
  try {
    signal.throwIfAborted();
    const { promise: over, resolve: onOver } = deferred<PortholeError>();
    const { promise: established, resolve: onEstablished } = deferred<void>();
    // The engine knows a path by its two addresses; our own is a wildcard, and always the same.
    connection = new Connection({
      engine: attempt.engine(hostPort(socket.local), hostPort(remote)),
      side: "client",
      what,
      local: socket.local,
      remote,
      clock,
      sender: socket,
      isPaced: attempt.isPaced,
      maxStreams: 0,
      onEstablished,
      onOver,
    });
    const closed = over.then(async (reason) => {
      await socket.close();
      return reason;
    });
    connection.start();
    await orAbort(signal, Promise.race([established, closed.then(fail)]));
    return new QuicheTransportConnection({ connection, clock, peerCertificate: undefined, closed });
  } catch (reason) {
    connection?.destroy(PortholeError.from(reason));
    await socket.close();
    throw reason;
  }
}

function fail(reason: PortholeError): never {
  throw reason;
}
