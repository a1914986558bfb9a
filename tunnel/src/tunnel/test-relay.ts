import { randomUUID } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { delegationOf, linkIdentity, type NameKey } from "./link-identity.ts";
import { defaultTrust, type ServerSettings } from "./prepare.ts";
import { RelayDialer, type Dialers } from "./relay-dialer.ts";
import type { Session } from "./session.ts";
import { memoryKnownRelays, RelayTrust } from "./trust.ts";

export interface RelayTestOptions {
  readonly server: ServerSettings;
  /** Whose admission is tried. */
  readonly key: NameKey;
  /** The key that the relay knows the user by, when it is not `key`. */
  readonly owner?: NameKey | undefined;
  readonly dialers: Dialers;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export type TransportOutcome =
  | {
      readonly ok: true;
      /** The time from the first packet to the admission. */
      readonly connectMs: number;
      /** Where the transport knows it by then. */
      readonly rttMs?: number | undefined;
      readonly hostnames: readonly string[];
    }
  | { readonly ok: false; readonly error: PortholeError };

export interface RelayOutcome {
  readonly http2: TransportOutcome;
  readonly quic: TransportOutcome;
  /** The fingerprint of the key that the relay showed over HTTP/2. */
  readonly fingerprint: string | undefined;
}

/**
 * Connects over each transport as a tunnel would, is admitted, and leaves. HTTP/2 comes first: over QUIC a pinned relay is
 * known by the certificate that was seen there. Rejects only when the signal aborts.
 */
export async function testRelay(options: RelayTestOptions, signal: AbortSignal): Promise<RelayOutcome> {
  const { server, key, owner, dialers, software, clock, log } = options;
  const known = memoryKnownRelays();
  const trust = new RelayTrust(server.text, server.trust ?? defaultTrust(server), known);
  const dialer = new RelayDialer(
    {
      ...{ server, trust, dialers, software, clock, log, instance: randomUUID(), isTest: true },
      identity: linkIdentity(key, clock.now()),
      hello: (within) => delegationOf(owner, key, within),
    },
    // Nobody knows this name yet; a visitor that comes all the same is not served.
    { onStream: (stream) => void stream.destroy(), onQuicOffer: () => {}, onNames: () => {} },
  );
  const http2 = await attempt((within) => dialer.http2(within), options, signal);
  const quic =
    http2.ok || trust.quic
      ? await attempt(
          async (within) => {
            await dialer.prepareQuic(within);
            return dialer.quic(within);
          },
          options,
          signal,
        )
      : {
          ok: false as const,
          error: new PortholeError("untrusted", "QUIC needs the certificate that HTTP/2 did not get to see"),
        };
  return { http2, quic, fingerprint: dialer.seenFingerprint };
}

async function attempt(
  connect: (signal: AbortSignal) => Promise<Session>,
  { clock }: RelayTestOptions,
  signal: AbortSignal,
): Promise<TransportOutcome> {
  const reason = new PortholeError("aborted", "Only trying the relay out");
  try {
    const startedAt = clock.monotonic();
    const session = await connect(signal);
    try {
      const connectMs = clock.monotonic() - startedAt;
      return { ok: true, connectMs, rttMs: session.link.rttMs(), hostnames: session.welcome.hostnames };
    } finally {
      session.retire(reason.message);
      await session.link.close(reason);
    }
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, error: PortholeError.from(error) };
  }
}
