import net, { type AddressInfo, type Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { acceptFilter } from "./accept-filter.ts";

/** A TCP port and the connections that came in through it. */
export interface TcpListener {
  readonly port: number;
  connections(): number;
  /** Takes no more connections; those that are there continue. */
  stop(): void;
  /** Ends all connections that are left and resolves when they and the port are gone. */
  close(): Promise<void>;
}

export interface ListenTarget {
  readonly address: string;
  readonly port: number;
  /** Names the flag in the error when the port is taken. */
  readonly flag: string;
}

export interface TcpListenerOptions extends ListenTarget {
  /** A worker's own port: it is not shared with the others. */
  readonly isExclusive?: boolean;
  /** Asked about each connection first, with its address; one that is not wanted is reset and never reported. All are wanted if absent. */
  readonly isWanted?: (address: string | undefined) => boolean;
  onConnection(socket: Socket): void;
}

const keepAliveDelayMs = 30_000;

/** Rejects with `address` when the port can't be had. */
export async function listenTcp(options: TcpListenerOptions): Promise<TcpListener> {
  const sockets = new Set<Socket>();
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, ...keepAlive });
  const closed = new Promise<void>((resolve) => {
    server.on("close", resolve);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(options, cause)));
    // Everything that may connect at once after a restart waits in the kernel for us.
    const { address: host, port, isExclusive: exclusive = false } = options;
    server.listen({ host, port, exclusive, backlog: 4_096 }, resolve);
  });
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    options.onConnection(socket);
  };
  if (options.isWanted) acceptFilter(server, options.isWanted, take);
  else server.on("connection", take);
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    // Right after Node has taken the connections that were waiting: the kernel resets connections that nobody has taken when the port closes.
    stop: () => void setImmediate(() => server.close()),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Why a port could not be opened, and which flag chooses another one. */
export function listenError(options: ListenTarget, cause: NodeJS.ErrnoException): PortholeError {
  const where = `${options.address}, TCP port ${options.port}`;
  if (cause.code === "EADDRINUSE")
    return new PortholeError("address", `${where} is taken by another program`, {
      cause,
      hint: `Stop it, or choose another port with --${options.flag}.`,
    });
  if (cause.code === "EACCES")
    return new PortholeError("address", `${where}: no permission`, {
      cause,
      hint: `Ports below 1024 need a privilege (CAP_NET_BIND_SERVICE), which the systemd unit gives; or choose another one with --${options.flag}.`,
    });
  return new PortholeError("address", `${where} can't be opened: ${cause.message}`, {
    cause,
    hint: `--${options.flag === "admin-port" ? "admin-addr" : "bind-addr"} must be an address of this machine.`,
  });
}
