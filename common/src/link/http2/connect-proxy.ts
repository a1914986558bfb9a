import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { PortholeError } from "../../errors.ts";
import { orAbort } from "../../util/abort.ts";
import { faultText } from "../../util/fault-text.ts";
import type { Secret } from "../../util/secret.ts";

/** An HTTP proxy between us and the relay. */
export interface HttpProxy {
  /** `https:` where the connection to the proxy itself is encrypted. */
  readonly protocol: "http:" | "https:";
  readonly host: string;
  readonly port: number;
  /** `user:password`. */
  readonly credentials?: Secret | undefined;
}

/**
 * A connection to host and port through the proxy (RFC 9110 9.3.6). Rejects with `unreachable`, or `usage` when the proxy wants
 * other credentials; no error has them in its text.
 */
export async function connectThroughProxy(
  proxy: HttpProxy,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Socket> {
  const authority = target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
  const { request } = proxy.protocol === "https:" ? https : http;
  const sent = request({
    ...{ host: proxy.host, port: proxy.port, method: "CONNECT", path: authority, agent: false },
    headers: { host: authority, ...authorization(proxy) },
  });
  const connected = new Promise<Socket>((resolve, reject) => {
    sent.on("error", (cause) => reject(failed(proxy, `can't be reached: ${faultText(cause)}`, cause)));
    sent.on("connect", (response: IncomingMessage, socket: Socket, head: Buffer) => {
      if (response.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      } else {
        socket.destroy();
        reject(refused(proxy, response, authority));
      }
    });
    sent.on("response", (response) => {
      response.destroy();
      reject(refused(proxy, response, authority));
    });
    sent.end();
  });
  try {
    return await orAbort(signal, connected);
  } catch (reason) {
    sent.destroy();
    void connected.then((socket) => socket.destroy()).catch(() => {});
    throw reason;
  }
}

function authorization({ credentials }: HttpProxy): Record<string, string> {
  if (!credentials) return {};
  return { "proxy-authorization": `Basic ${Buffer.from(credentials.reveal()).toString("base64")}` };
}

function refused(proxy: HttpProxy, { statusCode }: IncomingMessage, authority: string): PortholeError {
  if (statusCode !== 407) return failed(proxy, `refused to connect to ${authority} (status ${statusCode})`);
  const what = proxy.credentials ? "did not accept the user name and password" : "wants a user name and password";
  return new PortholeError("usage", `The proxy ${proxy.host}:${proxy.port} ${what} (status 407)`, {
    hint: "Set HTTPS_PROXY or PORTHOLE_PROXY, or in an editor http.proxy, to http://USER:PASSWORD@HOST:PORT.",
  });
}

function failed({ host, port }: HttpProxy, what: string, cause?: unknown): PortholeError {
  return new PortholeError("unreachable", `The proxy ${host}:${port} ${what}`, { cause });
}
