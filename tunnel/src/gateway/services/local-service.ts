import net from "node:net";
import tls from "node:tls";
import { PortholeError, setting } from "@porthole/common/errors";
import { limits } from "../limits.ts";
import type { ServiceTarget } from "../../http/index.ts";
import { serviceFault } from "./service-error.ts";
import { ResettableSocket } from "./service-socket.ts";
import { contextTrusting, judgeCertificate, type ServiceTrust } from "./service-tls.ts";
import { orAbort, type Clock, withDeadline } from "@porthole/common/util";

/** The destination of a visitor's decrypted bytes. The user sets it; nothing that a relay or a visitor sends can change it. */
export interface LocalService {
  /** As the user wrote it. */
  readonly text: string;
  /** `any` makes no assumption about the protocol, `tcp` says that it is none of the others; `h2c` is HTTP/2 without TLS. */
  readonly kind: "any" | "tcp" | "http" | "h2c" | "https";
  readonly host: string;
  readonly port: number;
  /** A Unix socket; host and port are then what Host says. */
  readonly socketPath?: string;
  readonly trust?: ServiceTrust | undefined;
}

/** Stands in front of an address that has no scheme. */
const anyScheme = "any:";
const kinds: Readonly<Record<string, LocalService["kind"]>> = {
  [anyScheme]: "any",
  "tcp:": "tcp",
  "http:": "http",
  "h2c:": "h2c",
  "https:": "https",
};
const defaultPorts: Readonly<Record<LocalService["kind"], number | undefined>> = {
  any: undefined,
  tcp: undefined,
  http: 80,
  h2c: 80,
  https: 443,
};

/** Reads `3000`, `host:3000`, `[::1]:3000`, `http://`, `https://`, `h2c://` and `tcp://` forms, and `unix:/PATH`. Throws `usage`. */
export function parseLocalService(text: string): LocalService {
  const socketPath = /^unix:(?:\/\/(?=\/))?(\/[^\0]+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { text, kind: "any", host: "localhost", port: 80, socketPath };
  const bare = /^\d+$/.test(text) ? `localhost:${text}` : text;
  const url = parseUrl(bare.includes("://") ? bare : `${anyScheme}//${bare}`);
  const kind = url ? kinds[url.protocol] : undefined;
  if (!url || !kind || text.startsWith(anyScheme)) throw badService(text);
  const port = url.port === "" ? defaultPorts[kind] : Number(url.port);
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!port || !url.hostname || !plain || (url.pathname !== "" && url.pathname !== "/")) throw badService(text);
  return { text, kind, host: url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase(), port };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function badService(text: string): PortholeError {
  return new PortholeError("usage", `"${text}" is not a local service`, {
    hint:
      hintFor(text) ??
      "Write a port (3000), host:port (127.0.0.1:3000), a URL such as http://localhost:3000 or tcp://localhost:6379, or unix:/PATH.",
  });
}

function hintFor(text: string): string | undefined {
  if (/^:\d+$/.test(text)) return `Write ${text.slice(1)}.`;
  if (/^(\.{0,2}|~)\//.test(text))
    return "A folder can't be exposed. Serve it by a program, and expose that program's port, as 3000.";
  if (/^\w+:\/\/[^/]+\/./.test(text))
    return "Leave the path out, as in http://localhost:3000. A route exposes another service below a path.";
  return undefined;
}

export interface ConnectOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** The ALPN protocol to agree on where the service speaks TLS. */
  readonly alpn?: string | undefined;
  /** Goes out before anything else, TLS included: a PROXY protocol header. */
  readonly preface?: Buffer | undefined;
  /** Keep half-close; the other protocols than HTTP need it. */
  readonly allowHalfOpen?: boolean;
  /** Connects this socket, which is new, instead of one of its own making. Without TLS only. */
  readonly socket?: net.Socket;
}

/** Connects, or rejects with `service-down`. */
export async function connectService(
  service: Omit<LocalService, "kind"> & { readonly kind: LocalService["kind"] | "h2" } & Pick<
      ServiceTarget,
      "onUnverified"
    >,
  options: ConnectOptions,
): Promise<net.Socket> {
  const { text, host, port, socketPath, trust } = service;
  const { allowHalfOpen = false } = options;
  const to =
    socketPath === undefined ? { host, port, ...(host === "localhost" ? thisMachine : {}) } : { path: socketPath };
  const isTls = service.kind === "https" || service.kind === "h2";
  const raw =
    isTls && !options.preface
      ? undefined
      : (options.socket ?? new ResettableSocket({ allowHalfOpen: allowHalfOpen && !isTls }))
          .setNoDelay(true)
          .connect(to);
  raw?.on("error", () => {});
  if (options.preface) raw?.write(options.preface);
  const socket =
    isTls || !raw
      ? tls.connect({
          ...(raw ? { socket: raw } : to),
          ...(net.isIP(host) ? {} : { servername: host }),
          ...(options.alpn ? { ALPNProtocols: [options.alpn] } : {}),
          ...(trust?.ca === undefined ? {} : { secureContext: contextTrusting(trust.ca) }),
          // Judged below, by the address that was reached.
          rejectUnauthorized: false,
        })
      : raw;
  socket.on("error", () => {});
  try {
    await withDeadline(
      { clock: options.clock, delayMs: limits.serviceConnectMs, what: "Connecting", signal: options.signal },
      (signal) => orAbort(signal, connected(socket, isTls ? "secureConnect" : "connect")),
    );
    if (socket instanceof tls.TLSSocket) {
      const reason = judgeCertificate(socket, { text, trust, address: (raw ?? socket).remoteAddress });
      if (reason !== undefined) service.onUnverified?.(reason);
    }
    return socket;
  } catch (cause) {
    socket.destroy();
    raw?.destroy();
    if (cause instanceof PortholeError && cause.code === "untrusted")
      throw new PortholeError("service-down", cause.message, {
        cause,
        ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      });
    const { why, hint } = serviceFault(cause);
    throw new PortholeError("service-down", `The local service ${service.text} does not answer: ${why}`, {
      cause,
      hint: hint ?? (await otherFamily(service, cause)) ?? `Start it, or choose another one with ${setting("local")}.`,
    });
  }
}

const otherLoopback: Readonly<Record<string, string>> = { "127.0.0.1": "::1", "::1": "127.0.0.1" };
const otherFamilyMs = 500;

/** A hint where the service listens on this machine's address of the other family only, as Vite does on ::1. */
async function otherFamily(
  { host, port }: Pick<LocalService, "host" | "port">,
  cause: unknown,
): Promise<string | undefined> {
  const other = otherLoopback[host];
  if (other === undefined || (cause as NodeJS.ErrnoException).code !== "ECONNREFUSED") return undefined;
  const socket = net.connect({ host: other, port });
  socket.setTimeout(otherFamilyMs, () => socket.destroy());
  const isThere = await connected(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere
    ? `${other.includes(":") ? `[${other}]` : other}:${port} listens. Choose localhost:${port}, which is both.`
    : undefined;
}

const thisMachine = {
  /** Resolves to both of localhost's addresses, whatever the resolver says: some development servers listen on ::1 only. */
  lookup: ((_hostname, options, callback) => {
    const addresses = [
      { address: "127.0.0.1", family: 4 },
      { address: "::1", family: 6 },
    ];
    if (options.all) callback(null, addresses);
    else callback(null, "127.0.0.1", 4);
  }) satisfies net.LookupFunction,
  // A closed port says so at once. Node would give the first address up after 250 ms, which pass when this process is busy.
  autoSelectFamilyAttemptTimeout: limits.serviceConnectMs,
};

function connected(socket: net.Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new PortholeError("closed", "The connection was closed"));
    socket.once("error", reject);
    socket.once("close", onClose);
    socket.once(event, () => {
      socket.off("close", onClose);
      resolve();
    });
  });
}

/** For option tables. */
export const localService = { placeholder: "SERVICE", parse: parseLocalService } as const;
