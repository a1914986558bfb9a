import net, { type Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { splice } from "@porthole/common/link";
import type { Logger } from "@porthole/common/log";
import { canonicalHostName, encodeAlert, encodeProxyHeader, tlsAlert } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import { addressesOf } from "../listeners/addresses-of.ts";
import { endWith } from "./end-with.ts";
import { fallbackConnectMs, fallbackLogMs } from "./limits.ts";

export interface FallbackOptions {
  readonly host: string;
  readonly port: number;
  /** Whether each connection begins with a PROXY header, version 2. */
  readonly hasProxyHeader: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A visitor that asked for a name of another server, or for none. Nothing was read from its socket but the ClientHello. */
export interface FallbackVisitor {
  readonly hello: Buffer;
  readonly serverName: string | undefined;
  readonly trace: string;
}

/** Another TLS server beside the relay, which gets the connections for all names that are not the relay's, byte for byte. */
export class Fallback {
  readonly #options: FallbackOptions;
  #mayLogAt = 0;

  constructor(options: FallbackOptions) {
    this.#options = options;
  }

  serve(socket: Socket, { hello, serverName, trace }: FallbackVisitor): void {
    const { host, port, hasProxyHeader, clock, log } = this.#options;
    const { remote, local } = addressesOf(socket);
    const server = net.connect({ host, port, allowHalfOpen: true, noDelay: true });
    const deadline = clock.timer(fallbackConnectMs, () =>
      server.destroy(new PortholeError("timeout", "it does not answer")),
    );
    const onLeft = (): void => void server.destroy();
    socket.on("close", onLeft);
    const onFailed = (reason: Error): void => {
      this.#report(reason);
      socket.off("close", onLeft);
      endWith(socket, encodeAlert(tlsAlert.internalError), clock);
    };
    server.once("error", onFailed);
    server.once("close", () => deadline.cancel());
    server.once("connect", () => {
      deadline.cancel();
      server.off("error", onFailed);
      socket.off("close", onLeft);
      server.cork();
      const authority = serverName === undefined ? undefined : canonicalHostName(serverName);
      if (hasProxyHeader) server.write(encodeProxyHeader({ source: remote, destination: local, authority }));
      server.write(hello);
      server.uncork();
      splice(socket, server, ({ error }) => {
        if (error) log.debug({ trace, code: error.code }, error.message);
      });
    });
  }

  /** Once in a while: each visitor meets the same fault. */
  #report(reason: Error): void {
    const { host, port, clock, log } = this.#options;
    const now = clock.now();
    if (now < this.#mayLogAt) return;
    this.#mayLogAt = now + fallbackLogMs;
    const { code } = reason as NodeJS.ErrnoException;
    log.warn({ server: `${host}:${port}`, code }, "The server of --fallback takes no connection");
  }
}
