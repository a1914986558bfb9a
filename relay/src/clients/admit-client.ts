import { PortholeError } from "@porthole/common/errors";
import { clientIdOf, readDelegation, readPeer, type Owner, type PeerIdentity } from "@porthole/common/identity";
import type { Link } from "@porthole/common/link";
import {
  canonicalHostName,
  protocolVersion,
  type Hello,
  type NamesOffer,
  type QuicTicket,
} from "@porthole/common/protocol";
import { Secret, type Clock } from "@porthole/common/util";
import type { Usage } from "../accounting/index.ts";
import type { Admission, AdmissionRequest, Grant } from "../admission/index.ts";
import type { PendingClient } from "../limits/index.ts";
import { Traffic } from "../monitoring/traffic.ts";
import type { ClientLink } from "./registry.ts";

export interface AdmissionDeps {
  readonly clock: Clock;
  readonly admission: Pick<Admission, "admit">;
  readonly usage: Usage;
  /** Makes a ticket for a QUIC handshake; undefined while there is no QUIC. */
  readonly ticket: (
    holder: { readonly fingerprint: string; readonly address: string },
    anywhere: boolean,
  ) => QuicTicket | undefined;
  /** Allowed suffixes; empty allows any and offers `localhost`. */
  readonly suffixes: readonly string[];
  readonly publicPort: number;
  readonly software: string;
  /** The directory of the authority that clients shall order from; undefined for Let's Encrypt. */
  readonly certificateDirectory?: string | undefined;
  /** Random id of this process; see Welcome. */
  readonly instance?: string | undefined;
  /** Why nobody is admitted now; undefined when clients are. */
  readonly refusal: () => PortholeError | undefined;
}

/** A connection that asks to be admitted. */
export interface AdmissionAttempt {
  readonly link: Link;
  /** Names the link in logs and reports. */
  readonly id: string;
  readonly pendingClient: PendingClient;
  readonly names: NamesOffer;
}

/** The key that a link is known by, and who vouches for it. */
export interface Admitted {
  readonly client: Omit<ClientLink, "dismiss">;
  readonly owner: Owner;
}

/** Reads the client's hello and responds with `welcome`. Rejects with the reason when the client is not admitted. Returns undefined for a client that only tries the relay out. */
export async function admitClient(
  { link, id, pendingClient, names }: AdmissionAttempt,
  deps: AdmissionDeps,
  signal: AbortSignal,
): Promise<Admitted | undefined> {
  if (!link.peerCertificate) throw new PortholeError("protocol", "the client presented no certificate");
  const peer = readPeer(link.peerCertificate);
  link.forgetPeerCertificate();
  pendingClient.identify(peer.fingerprint);
  const hello = await receiveHello(link);
  const isTest = hello.test ?? false;
  if (isTest) pendingClient.test();
  const { suffix, name, token, delegation, bare = false, instance, software } = hello;
  const owner = delegation === undefined ? undefined : readDelegation(delegation, peer.fingerprint, deps.clock.now());
  const wanted = {
    ...{ peer, owner, suffix, name, address: link.remote.address },
    ...(token === undefined ? {} : { token: new Secret(token) }),
  };
  const { hostname, ...grant } = await admitKey(wanted, deps, signal);
  const hostnames = bare ? [] : [hostname];
  const { certificateDirectory, instance: own } = deps;
  if (!isTest) pendingClient.admit(peer.clientId);
  const { fingerprint, clientId } = peer;
  const ticket = deps.ticket({ fingerprint, address: link.remote.address }, false);
  link.control.send({
    type: "welcome",
    clientId,
    hostnames,
    publicPort: deps.publicPort,
    limits: { maxStreams: link.maxStreams },
    software: deps.software,
    observedAddress: link.remote.address,
    ...(ticket ? { ticket } : {}),
    ...(certificateDirectory === undefined ? {} : { certificateDirectory }),
    ...(own === undefined ? {} : { instance: own }),
    names,
  });
  if (isTest) return undefined;
  return {
    owner: owner ?? peer,
    client: {
      ...{ id, clientId, fingerprint, linkFingerprint: fingerprint, hostnames, instance, software, link, ...grant },
      connectedAt: deps.clock.now(),
      traffic: new Traffic(),
      account: deps.usage.enter(grant.owner, grant.label ?? clientIdOf(grant.owner)),
    },
  };
}

/** What a key asks for; see Hello. */
export interface WantedName {
  readonly peer: PeerIdentity;
  readonly owner: Owner | undefined;
  readonly address: string;
  readonly suffix: string | undefined;
  readonly name: string | undefined;
  readonly token?: Secret;
}

/** Whether the key may be exposed now, and as what. Rejects with the reason when it may not. */
export async function admitKey(
  { owner, name, suffix, ...wanted }: WantedName,
  deps: Pick<AdmissionDeps, "admission" | "refusal" | "suffixes" | "usage">,
  signal: AbortSignal,
): Promise<Grant> {
  const refusal = deps.refusal();
  if (refusal) throw refusal;
  const request: AdmissionRequest = {
    ...wanted,
    suffix: chooseSuffix(suffix, deps.suffixes),
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
  };
  const grant = await deps.admission.admit(request, signal);
  // It may have been revoked while its admission was being written down.
  const objected = grant.revocationReason();
  if (objected) throw objected;
  // Or the relay has told everybody in the meantime that it will stop.
  const late = deps.refusal();
  if (late) throw late;
  const exceeded = deps.usage.exceeded(grant.owner);
  if (exceeded) throw exceeded;
  return grant;
}

async function receiveHello(link: Link): Promise<Hello> {
  const message = await link.control.next();
  if (!message) throw await link.closed;
  if (message.type !== "hello") throw new PortholeError("protocol", `expected hello, got ${message.type}`);
  if (message.protocol < protocolVersion)
    throw new PortholeError(
      "version",
      `this relay speaks version ${protocolVersion} of the protocol, the client only ${message.protocol}; update the client`,
    );
  return message;
}

function chooseSuffix(wanted: string | undefined, allowed: readonly string[]): string {
  if (wanted === undefined) return allowed[0] ?? "localhost";
  const suffix = canonicalHostName(wanted);
  if (suffix !== undefined && (allowed.length === 0 || allowed.includes(suffix))) return suffix;
  throw new PortholeError("name", `the suffix ${JSON.stringify(wanted)} is not served here; try ${allowed.join(", ")}`);
}
