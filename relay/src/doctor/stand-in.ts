import { randomBytes } from "node:crypto";
import dgram from "node:dgram";
import { once } from "node:events";
import net, { isIPv6 } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { listenTcp } from "../listeners/tcp-listener.ts";
import { ask, type Probe, type Protocol } from "./probe.ts";

/** Listens where the relay will, to see whether the port is free and whether connections from outside would arrive. */
export interface StandIn {
  /** Resolves when the responder at the address is this very stand-in. */
  readonly probe: Probe;
  close(): Promise<void>;
}

/** Rejects with `address` when the port can't be had. */
export function openStandIn(protocol: Protocol, address: string, port: number, flag: string): Promise<StandIn> {
  return protocol === "tcp" ? openTcp(address, port, flag) : openUdp(address, port, flag);
}

async function openTcp(address: string, port: number, flag: string): Promise<StandIn> {
  const nonce = randomBytes(16);
  const listener = await listenTcp({
    address,
    port,
    flag,
    onConnection(socket) {
      socket.on("error", () => {});
      socket.end(nonce);
    },
  });
  return {
    close: () => listener.close(),
    async probe(target, _port, signal) {
      const socket = net.connect({ host: target, port: listener.port });
      try {
        await once(socket, "connect", { signal });
        const [answer] = (await once(socket, "data", { signal })) as [Buffer];
        if (!answer.equals(nonce)) throw new Error("another program answers there");
      } finally {
        socket.destroy();
      }
    },
  };
}

async function openUdp(address: string, port: number, flag: string): Promise<StandIn> {
  const nonce = randomBytes(16);
  const socket = dgram.createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.on("message", (datagram, from) => {
    // An answer is no longer than the question, and strangers' questions get none.
    if (datagram.equals(nonce)) socket.send(nonce, from.port, from.address, () => {});
  });
  try {
    const listening = once(socket, "listening");
    socket.bind({ address, port, exclusive: true });
    await listening;
  } catch (cause) {
    socket.close();
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "is taken by another program" : `can't be opened: ${message}`;
    throw new PortholeError("address", `${address}, UDP port ${port} ${why}`, {
      cause,
      hint: `Stop it, or choose another port with --${flag}.`,
    });
  }
  const bound = socket.address().port;
  return {
    async close() {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
    probe: (target, _port, signal) => ask(target, bound, nonce, (answer) => answer.equals(nonce), signal),
  };
}
