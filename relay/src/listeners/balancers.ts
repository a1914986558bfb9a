import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { networkTest } from "../config/networks.ts";
import { setAddresses } from "./addresses-of.ts";
import { proxyHeaderMs } from "./limits.ts";
import { readProxyHeader } from "./read-proxy-header.ts";

/** A listener's decisions about a connection, see TcpListenerOptions. */
export interface Taking {
  readonly isWanted: (address: string | undefined) => boolean;
  readonly onConnection: (socket: Socket) => void;
}

export interface BalancerOptions {
  /** Networks, as `ADDRESS/BITS`. */
  readonly balancers: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Connections of these balancers begin with a PROXY header (HAProxy's specification, versions 1 and 2), and count as coming from the
 * address in it. A balancer's connection without a header is ended: everything behind it would pass as the balancer otherwise. Any
 * other connection is taken as it is, and a header in it is not believed.
 */
export function behindBalancers({ isWanted, onConnection }: Taking, options: BalancerOptions): Taking {
  const { clock, log } = options;
  const isBalancer = networkTest(options.balancers);

  async function takeFromBalancer(socket: Socket): Promise<void> {
    socket.on("error", () => {});
    const deadline = clock.timer(proxyHeaderMs, () => socket.destroy());
    try {
      const addresses = await readProxyHeader(socket);
      if (socket.destroyed) return;
      // A connection of the balancer's own, its health check.
      if (addresses) setAddresses(socket, addresses);
      if (isWanted(addresses?.remote.address ?? socket.remoteAddress)) onConnection(socket);
      else socket.resetAndDestroy();
    } catch (reason) {
      socket.destroy();
      const { code, message } = PortholeError.from(reason);
      log.debug({ code, balancer: socket.remoteAddress }, message);
    } finally {
      deadline.cancel();
    }
  }

  return {
    isWanted: (address) => isBalancer(address) || isWanted(address),
    onConnection: (socket) => {
      if (isBalancer(socket.remoteAddress)) void takeFromBalancer(socket);
      else onConnection(socket);
    },
  };
}
