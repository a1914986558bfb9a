import type { PortholeError } from "@porthole/common/errors";
import type { GatewayState } from "../gateway/index.ts";
import type { NameCertificate } from "./endpoint-certificates.ts";
import type { LinkKind } from "@porthole/common/link";
import type { Session } from "./session.ts";
import type { WhyNotQuic } from "./transport-choice.ts";

/** How one endpoint stands with one relay, as a person must be able to tell it apart. */
export type RelayStatus =
  /** No link yet, the first attempt runs. */
  | { readonly status: "connecting" }
  /** Visitors are served. */
  | {
      readonly status: "online";
      /** What carries new visitors. */
      readonly transport: LinkKind;
      /** Why it is not QUIC; absent when it is, or when the user asked for HTTP/2. */
      readonly whyNotQuic?: string;
      /** When QUIC is tried again, in milliseconds since 1970; may be now. */
      readonly nextQuicTryAt?: number;
      readonly links: number;
      readonly hostnames: readonly string[];
      readonly urls: readonly string[];
      readonly rttMs?: number;
      /** Other processes with the same key that serve this name, too, on this machine or another; absent when there is none. */
      readonly otherProcesses?: number;
    }
  /** No link; the next attempt comes after the delay. */
  | {
      readonly status: "waiting";
      readonly delayMs: number;
      readonly error: PortholeError;
      /** What else may help: "doctor" from the third failed attempt in a row on. */
      readonly hint?: "doctor";
    }
  /** The relay said no, or trying again makes no sense. */
  | { readonly status: "failed"; readonly error: PortholeError }
  | { readonly status: "stopped" };

export interface RelayState {
  /** As the user wrote it: host:port. */
  readonly address: string;
  readonly now: RelayStatus;
}

export interface EndpointState {
  readonly role: "primary" | "secondary";
  readonly clientId: string;
  /** Fingerprint of the key that visitors see. */
  readonly fingerprint: string;
  /** The local service, as the user wrote it. */
  readonly local: string;
  readonly gateway: GatewayState;
  readonly relays: readonly RelayState[];
  /** One for each public name. */
  readonly certificates: readonly NameCertificate[];
}

export interface TunnelState {
  readonly endpoints: readonly EndpointState[];
}

interface OnlineFacts {
  readonly hostnames: readonly string[];
  readonly links: number;
  readonly otherProcesses: number;
  readonly whyNotQuic: WhyNotQuic | undefined;
}

/** The state while the session's link carries new visitors. */
export function onlineStatus(
  { link, welcome }: Session,
  { hostnames, links, otherProcesses, whyNotQuic }: OnlineFacts,
): Extract<RelayStatus, { status: "online" }> {
  const rttMs = link.rttMs();
  return {
    status: "online",
    transport: link.kind,
    links,
    hostnames,
    urls: hostnames.map((name) => publicUrl(name, welcome.publicPort)),
    ...(whyNotQuic === undefined ? {} : { whyNotQuic: whyNotQuic.message }),
    ...(whyNotQuic?.nextTryAt === undefined ? {} : { nextQuicTryAt: whyNotQuic.nextTryAt }),
    ...(rttMs === undefined ? {} : { rttMs }),
    ...(otherProcesses > 0 ? { otherProcesses } : {}),
  };
}

/** The URL of a public name; 443 is the port that nobody writes. */
export function publicUrl(hostname: string, port: number): string {
  return port === 443 ? `https://${hostname}` : `https://${hostname}:${port}`;
}
