/**
 * The contract by which another program (an editor, a script) drives a client: JSON-RPC 2.0 messages, each behind a
 * `Content-Length` header as in the Language Server Protocol. docs/rpc.md tells the story. Everything here is JSON.
 */

import type { AccessSummary, ShareLink } from "../access/index.ts";
import type {
  BodyQuery,
  BodyView,
  ExchangeDetail,
  ExchangeId,
  ExportQuery,
  ExportResult,
  InspectorChanges,
  InspectorStatus,
  ListQuery,
  ListResult,
  MessagesQuery,
  MessagesResult,
  ReplayRequest,
  ReplayResult,
} from "../inspector/index.ts";

/** Raised when a program of the old version could not talk to a daemon of the new one. New optional fields don't raise it. */
export const rpcVersion = 1;

/** Requests: name, parameters, result. A failed one answers with `RpcErrorData` in the error's `data`. */
export interface Requests {
  /** First of all; every other call before it is refused. */
  initialize: [InitializeParams, InitializeResult];
  /** Stops every tunnel and ends the process once it has answered. The end of the input does the same. */
  shutdown: [Empty, Empty];

  "tunnel/start": [TunnelSpec, TunnelInfo];
  "tunnel/stop": [TunnelRef, Empty];
  "tunnel/list": [Empty, { readonly tunnels: readonly TunnelInfo[] }];
  /** Changes a running tunnel without a new name: what it can take in place it takes; the rest starts anew behind the same id. */
  "tunnel/update": [TunnelRef & { readonly changes: TunnelChanges }, TunnelInfo];

  /**
   * What a tunnel with `inspect` has recorded: gateway/inspector/types.ts says what is in there. `usage` without `inspect`, and for
   * an exchange that is gone.
   */
  "inspect/list": [OfTunnel & ListQuery, ListResult];
  "inspect/get": [OfTunnel & { readonly id: ExchangeId; readonly unredacted?: boolean }, ExchangeDetail];
  "inspect/body": [OfTunnel & BodyQuery, BodyView];
  "inspect/messages": [OfTunnel & MessagesQuery, MessagesResult];
  "inspect/replay": [OfTunnel & ReplayRequest, ReplayResult];
  "inspect/export": [OfTunnel & ExportQuery, ExportResult];
  "inspect/clear": [OfTunnel, Empty];
  "inspect/record": [OfTunnel & { readonly recording: boolean }, InspectorStatus];

  /** A link that lets in whoever has it; `usage` unless the tunnel's access rules have `share`. It can't be read again. */
  "access/share": [
    OfTunnel & { readonly label?: string; readonly forMs?: number },
    { readonly link: ShareLink; readonly urls: readonly string[] },
  ];
  "access/links": [OfTunnel, { readonly links: readonly ShareLink[] }];
  /** Who came in by the link is out at once. */
  "access/revoke": [OfTunnel & { readonly link: string }, Empty];

  /** Makes a key. The caller keeps it. */
  "identity/create": [Empty, Identity & { readonly pem: string }];
  /** Reads a key from PEM text, PKCS#8 or SEC1, encrypted or not, and answers it as plain PKCS#8. */
  "identity/import": [{ readonly pem: string; readonly passphrase?: string }, Identity & { readonly pem: string }];
  /** The key as PKCS#8 PEM for a file, encrypted when there is a passphrase. */
  "identity/export": [{ readonly identity: IdentityRef; readonly passphrase?: string }, { readonly pem: string }];
  "identity/fingerprint": [{ readonly identity: IdentityRef }, Identity];

  /** Relays that are remembered in the state folder: used by a tunnel that names none. */
  "relay/list": [Empty, { readonly relays: readonly RelaySpec[] }];
  "relay/add": [{ readonly relay: RelaySpec } | { readonly invite: string }, { readonly relay: RelaySpec }];
  "relay/remove": [{ readonly address: string }, Empty];
  /** What an invite says, without using it. */
  "relay/parseInvite": [{ readonly invite: string }, { readonly relay: RelaySpec }];
  /** Connects once over each transport, with a key that nobody knows when none is given (and without the token then), and leaves. */
  "relay/test": [{ readonly relay: RelaySpec; readonly identity?: IdentityRef }, RelayTest];
  /** A relay on loopback inside this process, for trying things out. Starting it again answers the running one. */
  "trialRelay/start": [{ readonly publicPort?: number }, { readonly relay: RelaySpec; readonly publicPort: number }];
  "trialRelay/stop": [Empty, Empty];

  /**
   * Checks each hop in turn: local port, relay, name, certificate, a request through the whole path. A tunnel that does not run
   * is given as it would be started, and is up for as long as that takes.
   */
  doctor: [
    ({ readonly tunnel: string } | { readonly spec: TunnelSpec }) & { readonly role?: EndpointView["role"] },
    DoctorReport,
  ];
}

export interface Notifications {
  /** After every change, with the whole state. */
  "tunnel/state": { readonly id: string; readonly state: TunnelStateView };
  /** A visitor's connection is over. `missed`: so many before it were not told, because nobody read them in time. */
  "tunnel/visit": { readonly id: string; readonly visit: VisitView; readonly missed?: number };
  /** A visitor's request has been answered; only where HTTP is read. */
  "tunnel/request": { readonly id: string; readonly request: RequestView; readonly missed?: number };
  /** What has changed in a tunnel's recordings, several changes together. */
  "inspect/exchange": { readonly id: string; readonly changes: InspectorChanges };
  log: LogLine;
}

export interface OfTunnel {
  /** Its id. */
  readonly tunnel: string;
}

export type Empty = Record<string, never>;
export type Method = keyof Requests;
export type NotificationName = keyof Notifications;

export interface InitializeParams {
  readonly rpcVersion: number;
  /** Who calls, for the relay's log: `vscode/1.90.0`. */
  readonly client: { readonly name: string; readonly version: string };
  /** Folder for certificates, pins and accounts; several daemons may share one. The platform's data folder when absent. */
  readonly stateDir?: string;
  /**
   * The key that relays know the person by: it vouches for the tunnels' own identities, so that one invite is enough for
   * all of them. Each tunnel's primary identity when absent.
   */
  readonly owner?: IdentityRef;
  /** `info` when absent. */
  readonly logLevel?: LogLevel;
}

export interface InitializeResult {
  readonly rpcVersion: number;
  readonly version: string;
  readonly node: string;
  /** Whether this process can speak QUIC at all; without it HTTP/2 carries the traffic. */
  readonly quic: { readonly available: true } | { readonly available: false; readonly reason: string };
}

export interface TunnelRef {
  readonly id: string;
}

/** A private key: its PEM text, or the file that it is in (made if missing). */
export type IdentityRef = { readonly pem: string } | { readonly path: string };

export interface Identity {
  /** First label of the public name. */
  readonly clientId: string;
  /** SHA-256 of the public key, as it is pinned. */
  readonly fingerprint: string;
}

export interface RelaySpec {
  /** `host` or `host:port`; 4433 when it has none. */
  readonly address: string;
  /** Trust exactly this key; otherwise a CA's certificate, or first use on loopback. */
  readonly fingerprint?: string;
  /** One-time token of an invite: enrols the key that connects first. */
  readonly token?: string;
  /** What a person calls it. */
  readonly label?: string;
}

export interface EndpointSpec {
  readonly identity: IdentityRef;
  /** A port, host:port, or an http, https, h2c or tcp URL. */
  readonly local: string;
  /** The user's bytes in the certificate's custom extension. */
  readonly extensionHex?: string;
}

export interface TunnelSpec {
  /** Chosen by the caller, unique among its tunnels. */
  readonly id: string;
  /** The remembered ones when absent. */
  readonly relays?: readonly RelaySpec[];
  readonly primary: EndpointSpec;
  /** A second name with a self-signed certificate. */
  readonly secondary?: EndpointSpec;
  readonly suffix?: string;
  /** A friendly name instead of the client id, where the relay grants it. */
  readonly name?: string;
  readonly transport?: "auto" | "quic" | "h2";
  readonly poolSize?: number;
  /** Whether visitors' HTTP is read: `auto` decides by what a visitor says. */
  readonly mode?: "auto" | "http" | "tcp";
  /** Whether the local service sees the public name or localhost; `auto` changes over when it refuses the name. */
  readonly headers?: "auto" | "transparent" | "localhost";
  /** Paths of the primary name that other local services answer. */
  readonly routes?: readonly RouteSpec[];
  /** Visitors get a page that says so, and reach nothing. */
  readonly paused?: boolean;
  /** Connections to local services begin with a PROXY protocol v2 header, which has the visitor's address. */
  readonly localProxyProtocol?: boolean;
  /** Who may visit, of both endpoints; everybody when absent. */
  readonly access?: AccessSpec;
  /** Records requests in memory, for `inspect/...`; not when absent. */
  readonly inspect?: InspectSpec;
  /** A CA's certificate for the public name; asked for when absent. */
  readonly acme?: {
    readonly enabled: boolean;
    readonly email?: string;
    readonly staging?: boolean;
    readonly directory?: string;
  };
}

export interface RouteSpec {
  /** `/api`: itself and everything below. */
  readonly path: string;
  /** As an endpoint's `local`. */
  readonly local: string;
}

/** Addresses, paths and the end must hold for everybody; of the credentials any one is enough. */
export interface AccessSpec {
  /** `192.0.2.1`, `10.0.0.0/8`, and with `!` before it what is kept out. */
  readonly addresses?: readonly string[];
  /** `/exact`, `/folder/*`, and with `!` before it what is kept closed. */
  readonly paths?: readonly string[];
  /** Milliseconds since 1970. */
  readonly endsAt?: number;
  /** `user:password` each. */
  readonly users?: readonly string[];
  readonly bearerTokens?: readonly string[];
  /** Whether links of `access/share` let in. */
  readonly share?: boolean;
  /** Senders of webhooks, by their signature: `github`, `stripe`, `hmac:HEADER` and others (docs/access.md). */
  readonly webhook?: { readonly scheme: string; readonly secrets: readonly string[] };
}

export interface InspectSpec {
  /** Names of headers, fields and parameters to take out besides those that always are. */
  readonly redact?: readonly string[];
}

/** What is absent stays as it is, in an endpoint too; `null` takes it away. */
export type TunnelChanges = {
  readonly [K in keyof Omit<TunnelSpec, "id" | "primary" | "secondary">]?: TunnelSpec[K] | null;
} & {
  readonly primary?: Partial<EndpointSpec>;
  readonly secondary?: Partial<EndpointSpec> | null;
};

export interface TunnelInfo {
  readonly id: string;
  readonly state: TunnelStateView;
}

/** What went wrong: `code` is an ErrorCode and decides, the rest is for people. */
export interface RpcErrorData {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly retryAfterMs?: number;
  /** Trying again can help. */
  readonly retryable: boolean;
}

/** tunnel/state.ts with its errors as data. */
export interface TunnelStateView {
  readonly endpoints: readonly EndpointView[];
  /** The tunnel is over, because every relay refused, or because it was stopped. */
  readonly ended?: { readonly error?: RpcErrorData };
}

export interface EndpointView extends Identity {
  readonly role: "primary" | "secondary";
  readonly local: string;
  /** False while connections to the local service are refused; absent before it has been looked at. */
  readonly localUp?: boolean;
  readonly urls: readonly string[];
  readonly relays: readonly { readonly address: string; readonly now: RelayStatusView }[];
  readonly gateway: GatewayView;
  readonly certificates: readonly CertificateView[];
}

/** How visitors are treated now. */
export interface GatewayView {
  readonly mode: "auto" | "http" | "tcp";
  readonly headers: "auto" | "transparent" | "localhost";
  readonly routes: readonly { readonly path: string; readonly service: string }[];
  readonly paused: boolean;
  /** Services that get localhost's headers because they refused the public name. */
  readonly adapted: readonly { readonly service: string; readonly server: string }[];
  /** Everybody may visit when absent. */
  readonly access?: AccessSummary;
}

export type RelayStatusView =
  | { readonly status: "connecting" }
  | {
      readonly status: "online";
      readonly transport: "quic" | "http2" | "memory";
      readonly whyNotQuic?: string;
      /** When QUIC is tried again, in milliseconds since 1970; may be now. */
      readonly nextQuicTryAt?: number;
      readonly links: number;
      readonly hostnames: readonly string[];
      readonly urls: readonly string[];
      readonly rttMs?: number;
      /** Other processes with the same key that serve the name, too. */
      readonly otherProcesses?: number;
    }
  | {
      readonly status: "waiting";
      readonly delayMs: number;
      readonly error: RpcErrorData;
      /** From the third failed attempt in a row on: an examination of the tunnel shows which hop fails. */
      readonly hint?: "doctor";
    }
  | { readonly status: "failed"; readonly error: RpcErrorData }
  | { readonly status: "stopped" };

export interface CertificateView {
  readonly hostname: string;
  readonly status: "self-signed" | "pending" | "valid" | "failed";
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
  readonly nextAttemptAt?: number;
  readonly error?: RpcErrorData;
  /** SHA-256 of the certificate that visitors see now, hex with colons. */
  readonly sha256?: string;
}

export interface VisitView {
  readonly role: "primary" | "secondary";
  readonly address: string;
  readonly hostname: string;
  readonly traceId: string;
  readonly transport: "quic" | "http2" | "memory";
  /** Whether its bytes were read as HTTP. */
  readonly mode?: "http" | "tcp";
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly error?: RpcErrorData;
}

export interface RequestView {
  readonly role: "primary" | "secondary";
  readonly address: string;
  readonly hostname: string;
  readonly traceId: string;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** 0 when the visitor left before it was answered. */
  readonly status: number;
  readonly durationMs: number;
  readonly error?: RpcErrorData;
}

export interface RelayTest {
  readonly quic: TransportTest;
  readonly http2: TransportTest;
  /** The key that the relay showed. */
  readonly fingerprint?: string;
}

export type TransportTest =
  | {
      readonly ok: true;
      /** From the first packet to the admission. */
      readonly connectMs: number;
      readonly rttMs?: number;
      readonly hostnames: readonly string[];
    }
  | { readonly ok: false; readonly error: RpcErrorData };

export interface DoctorReport {
  /** In the order of the path; the first that failed is the one to mend. */
  readonly checks: readonly DoctorCheck[];
}

export interface DoctorCheck {
  readonly id:
    | "local-port"
    | "relay-dns"
    | "relay-tcp"
    | "relay-udp"
    | "relay-trust"
    | "relay-admission"
    | "name-dns"
    | "certificate"
    | "whole-path";
  /** `warning`: it works, but not as well as it could. `skipped`: something before it has to be mended first. */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  /** The relay that it is about; absent for the local service. */
  readonly relay?: string;
  /** What was found, as a sentence. */
  readonly finding: string;
  /** What to do about it. */
  readonly fix?: string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  /** So many lines before it were dropped, because nobody read them in time. */
  readonly missed?: number;
}
