import type { Socket } from "node:net";
import type { SocketAddress } from "@porthole/common/protocol";

/** The two ends of a connection as the far side of every balancer sees them. */
export interface Addresses {
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
}

const reported = new WeakMap<Socket, Addresses>();

/** Returns what a balancer reported of this connection, otherwise the socket's own ends. */
export function addressesOf(socket: Socket): Addresses {
  return (
    reported.get(socket) ?? {
      remote: { address: socket.remoteAddress ?? "0.0.0.0", port: socket.remotePort ?? 0 },
      local: { address: socket.localAddress ?? "0.0.0.0", port: socket.localPort ?? 0 },
    }
  );
}

/** From now on the connection counts as one between these ends. */
export function setAddresses(socket: Socket, addresses: Addresses): void {
  reported.set(socket, addresses);
}
