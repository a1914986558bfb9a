import net from "node:net";
import tls from "node:tls";
import type { Duplex } from "node:stream";
import { PortholeError } from "../errors.ts";
import { isLoopback, limits } from "../protocol/index.ts";
import { orAbort, type Clock, withDeadline } from "../util/index.ts";

/** Where a visitor's decrypted bytes go. Fixed by the user; nothing that a relay or a visitor sends can change it. */
export interface LocalService {
  /** As the user wrote it. */
  readonly text: string;
  /** `any` makes no assumption about the protocol; `h2c` is HTTP/2 without TLS. */
  readonly kind: "any" | "http" | "h2c" | "https";
  readonly host: string;
  readonly port: number;
}

const kinds: Readonly<Record<string, LocalService["kind"]>> = {
  "tcp:": "any",
  "http:": "http",
  "h2c:": "h2c",
  "https:": "https",
};
const defaultPorts: Readonly<Record<LocalService["kind"], number | undefined>> = {
  any: undefined,
  http: 80,
  h2c: 80,
  https: 443,
};

/** Reads `3000`, `host:3000`, `[::1]:3000`, and `http://`, `https://`, `h2c://`, `tcp://` forms. Throws `usage`. */
export function parseLocalService(text: string): LocalService {
  const bare = /^\d+$/.test(text) ? `127.0.0.1:${text}` : text;
  const url = parseUrl(withScheme(bare));
  const kind = url ? kinds[url.protocol] : undefined;
  if (!url || !kind) throw badService(text);
  const port = url.port === "" ? defaultPorts[kind] : Number(url.port);
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!port || !url.hostname || !plain || (url.pathname !== "" && url.pathname !== "/")) throw badService(text);
  return { text, kind, host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

function withScheme(text: string): string {
  return text.includes("://") ? text : `tcp://${text}`;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function badService(text: string): PortholeError {
  return new PortholeError("usage", `"${text}" is not a local service`, {
    hint: "Write a port (3000), host:port (127.0.0.1:3000), or a URL such as http://localhost:3000 or tcp://localhost:6379.",
  });
}

/**
 * What a visitor's TLS may agree on, as TLS's ALPN callback wants it: one of the offered protocols, or undefined to refuse.
 * Without HTTP awareness the local service gets what the visitor speaks, so HTTP/2 is agreed on only with a service that
 * said it speaks it, or with a visitor that speaks nothing else.
 */
export function chooseAlpn(service: LocalService, offered: readonly string[]): string | undefined {
  const other = offered.filter((name) => name !== "h2" && name !== "http/1.1");
  const preferred = service.kind === "h2c" ? ["h2", "http/1.1", ...other] : ["http/1.1", ...other, "h2"];
  return preferred.find((name) => offered.includes(name));
}

/** Connects, or rejects with `service-down`. The connection keeps half-close. */
export async function connectService(
  service: LocalService,
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly alpn: string | undefined },
): Promise<Duplex> {
  const { host, port } = service;
  const socket =
    service.kind === "https"
      ? tls.connect({
          host,
          port,
          ...(net.isIP(host) ? {} : { servername: host }),
          ...(options.alpn ? { ALPNProtocols: [options.alpn] } : {}),
          // A development server on this machine has a certificate of its own making.
          rejectUnauthorized: !isLoopback(host),
        })
      : net.connect({ host, port, allowHalfOpen: true, noDelay: true });
  socket.on("error", () => {});
  try {
    await withDeadline(
      { clock: options.clock, delayMs: limits.serviceConnectMs, what: "Connecting", signal: options.signal },
      (signal) => orAbort(signal, connected(socket, service.kind === "https" ? "secureConnect" : "connect")),
    );
    return socket;
  } catch (cause) {
    socket.destroy();
    const text = cause instanceof AggregateError ? String(cause.errors[0]) : (cause as Error).message;
    throw new PortholeError("service-down", `The local service ${service.text} does not answer: ${text}`, {
      cause,
      hint: "Start it, or choose another one with --local.",
    });
  }
}

function connected(socket: net.Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve());
    socket.once("error", reject);
  });
}

/** For option tables. */
export const localService = { placeholder: "SERVICE", parse: parseLocalService } as const;
