import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import dns from "node:dns/promises";
import { isIP } from "node:net";
import * as tls from "node:tls";
import { PortholeError, setting } from "../../errors.ts";
import type { Clock } from "../../util/clock.ts";
import { dialError } from "../dial-errors.ts";
import type { PeerTrust, RemoteAddress, TransportConnection, TransportStream } from "../types.ts";
import type { TicketKey } from "./ticket.ts";

export const engineChoices = ["auto", "native", "quiche"] as const;
/** `auto`: the native engine where it loads and has been tried, otherwise quiche. */
export type EngineChoice = (typeof engineChoices)[number];
export type EngineName = Exclude<EngineChoice, "auto">;

/** Fits into every path that carries 1,378-byte IP packets. A larger one is faster on loopback only. */
export const defaultPacketBytes = 1350;

/**
 * How the relay's certificate is checked. It happens inside the engine, because Electron can't read certificates back.
 * - `ca`: by CA (`pem` absent: those that Node trusts) and host name. The engine can't compare IP addresses.
 * - `pinned`: it is this certificate, or one that chains to it; the name does not matter. A self-signed certificate with a
 *   keyUsage extension must have keyCertSign in it, or BoringSSL does not take it as its own issuer.
 * - `unchecked`: not at all.
 */
export type QuicTrust = PeerTrust | { readonly kind: "pinned"; readonly pem: string };

export interface EngineOptions {
  /** PEM chain, leaf first. */
  readonly cert: string;
  /** PEM private key of its leaf: P-256, P-384 or RSA. */
  readonly key: string;
  /** `bbr` keeps 9 MB/s under 1 % loss where `cubic` keeps half of one. */
  readonly congestion?: "bbr" | "cubic";
  /** UDP payload of a full packet. At least 1200, RFC 9000 section 14. */
  readonly packetBytes?: number;
  readonly idleTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
  /** The best one that loads if absent. */
  readonly engine?: EngineChoice;
}

export interface DialQuicOptions extends EngineOptions {
  readonly host: string;
  readonly port: number;
  readonly trust: QuicTrust;
  /** The name that is asked for and that the certificate must have; the host if it is absent. */
  readonly serverName?: string;
  /** The client's own connection id, exactly 20 bytes: a ticket, which the relay reads before any handshake. Defaults to random bytes. */
  readonly sourceId?: Buffer;
  readonly clock?: Clock;
}

/** A connection whose opener may number its streams itself. */
export interface QuicTransportConnection extends TransportConnection {
  /** `id`: one of our own kind that was not used before, in any order; the next one if absent. */
  openStream(id?: number): TransportStream;
}

/** Why a stranger may have no handshake. */
export type RefusalReason =
  | "no-ticket" // its connection id is none, or was not made by this relay
  | "ticket-expired"
  | "ticket-elsewhere" // made for another address
  | "ticket-used" // has begun a handshake before
  | "rate"; // there are too many to look at

export type DropReason =
  | RefusalReason
  | "port-0" // no host sends from there, and a socket can't send to it
  | "no-connection" // not an Initial, and no connection has this id
  | "malformed"
  | "short-initial"
  | "bad-token"
  | "handshakes"; // too many under way

/** Counters of dropped datagrams at their start. */
export const noDrops: Readonly<Record<DropReason, number>> = {
  "port-0": 0,
  "no-connection": 0,
  malformed: 0,
  "short-initial": 0,
  "no-ticket": 0,
  "ticket-expired": 0,
  "ticket-elsewhere": 0,
  "ticket-used": 0,
  "bad-token": 0,
  handshakes: 0,
  rate: 0,
};

export interface AcceptQuicOptions extends EngineOptions {
  /** IP address; "::" takes IPv4 too. */
  readonly address: string;
  readonly port: number;
  /** Whose tickets a client needs for a handshake; everyone may have one if absent. */
  readonly ticketKeys?: readonly TicketKey[] | undefined;
  readonly maxHandshakes?: number;
  readonly clock?: Clock;
}

export interface QuicAcceptorStats {
  /** Connections that the engine has, handshakes included. */
  readonly connections: number;
  readonly handshakes: number;
  /** Connections that the engine ever had. */
  readonly accepted: number;
  /** Datagrams that were answered without the engine (Retry, version negotiation), and that were dropped, by reason. */
  readonly answered: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Datagrams that the kernel did not take. */
  readonly sendFailures: number;
}

export interface QuicAcceptor {
  readonly address: RemoteAddress;
  /** Connections whose handshake is done and whose peer has proved to hold the key of its certificate. Ends with `close`. */
  readonly incoming: AsyncIterable<QuicTransportConnection>;
  /** For connections from now on. Throws `key`, and keeps the old one. */
  setCertificate(cert: string, key: string): void;
  /** Tickets by other keys are none any more. Does nothing where nobody needs one. */
  setTicketKeys(keys: readonly TicketKey[]): void;
  stats(): QuicAcceptorStats;
  /** Resolves when the engine has lost the port and can't continue. Never after `close`. */
  readonly lost: Promise<PortholeError>;
  /** Ends all connections that are left, at once, and resolves when the port is free. */
  close(): Promise<void>;
}

/** NODE_EXTRA_CA_CERTS with them; Node before 22.15 can't tell, and those that come with it have to do. */
export function trustedAuthorities(): string {
  const { getCACertificates, rootCertificates } = tls as typeof tls & {
    readonly getCACertificates?: (type: "default") => readonly string[];
  };
  return (getCACertificates?.("default") ?? rootCertificates).join("\n");
}

const usableCurves = new Set(["prime256v1", "secp384r1"]);

/** BoringSSL takes a certificate of another key, or none at all, without a word, and then fails in the handshake. */
export function checkIdentity({ cert, key }: Pick<EngineOptions, "cert" | "key">): void {
  let privateKey: KeyObject;
  let matches: boolean;
  try {
    privateKey = createPrivateKey(key);
    matches = new X509Certificate(cert).checkPrivateKey(privateKey);
  } catch (cause) {
    throw new PortholeError("key", "The certificate or the private key for QUIC can't be read", { cause });
  }
  if (!matches) throw new PortholeError("key", "The certificate for QUIC belongs to another private key");
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey;
  if (type === "rsa" || (type === "ec" && usableCurves.has(details?.namedCurve ?? ""))) return;
  throw new PortholeError("key", `QUIC can't use a key of the kind ${details?.namedCurve ?? type}`, {
    hint: `Use a P-256 key, which all transports take, or set ${setting("transport")} to h2.`,
  });
}

/** Rejects as `dialError` says. */
export async function resolveRelay({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<RemoteAddress> {
  if (isIP(host)) return { address: host, port };
  try {
    const { address } = await dns.lookup(host);
    return { address, port };
  } catch (reason) {
    throw dialError(reason, { host, port });
  }
}
