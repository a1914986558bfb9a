import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { listenError, type ListenTarget } from "./tcp-listener.ts";

/** An HTTP port for short responses. */
export interface HttpListener {
  readonly port: number;
  /** Ends all connections and resolves when the port is free. */
  close(): Promise<void>;
}

export interface HttpListenerOptions extends ListenTarget {
  readonly maxConnections: number;
  readonly onRequest: RequestListener;
}

const requestTimeoutMs = 5_000;

/** Rejects with `address` when the port can't be had. */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const { address, port, onRequest } = options;
  const server = http.createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs, keepAliveTimeout: requestTimeoutMs },
    onRequest,
  );
  server.maxConnections = options.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(options, cause)));
    server.listen({ host: address, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}
