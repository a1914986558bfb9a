import type { Server, Socket } from "node:net";

/** The parts of Node's internal connection object that are used here. */
interface Connection {
  getpeername(name: { address?: string }): number;
  reset(): number;
  close(): void;
}

type OnConnection = (this: unknown, error: number, connection?: Connection) => void;

/**
 * Hands on the connections of a server that listens, and resets those that `isWanted` is against: before Node makes a socket of them,
 * because a flood consists of such connections, and to make a socket and destroy it costs as much as all the rest (docs/decisions/accept-filter.md).
 * There is no public way to it. Where Node's inside is another than we know, they are reset as sockets.
 */
export function acceptFilter(
  server: Server,
  isWanted: (address: string | undefined) => boolean,
  onConnection: (socket: Socket) => void,
): void {
  let wasAsked = false;
  server.on("connection", (socket) => {
    if (wasAsked || isWanted(socket.remoteAddress)) onConnection(socket);
    else socket.resetAndDestroy();
  });
  const { _handle: handle } = server as Server & { _handle?: { onconnection?: OnConnection } };
  const makeSocket = handle?.onconnection;
  if (!handle || typeof makeSocket !== "function") return;
  handle.onconnection = function (error, connection) {
    if (!isKnown(connection)) return makeSocket.call(this, error, connection);
    const peer: { address?: string } = {};
    connection.getpeername(peer);
    if (!isWanted(peer.address)) {
      if (connection.reset() !== 0) connection.close();
      return;
    }
    wasAsked = true;
    try {
      makeSocket.call(this, error, connection);
    } finally {
      wasAsked = false;
    }
  };
}

/** Not after an error, and not in a Node that has changed. */
function isKnown(connection: Connection | undefined): connection is Connection {
  const names = ["getpeername", "reset", "close"] as const;
  return names.every((name) => typeof connection?.[name] === "function");
}
