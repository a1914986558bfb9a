import { X509Certificate } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import { certificatePem, fingerprint, isSelfSigned, parseFingerprint } from "@porthole/common/identity";
import type { PeerTrust } from "@porthole/common/link";
import { orAbort, readJson, writeJson } from "@porthole/common/util";

export type TrustPolicy =
  /** A certificate for the host name from a CA that this machine trusts. */
  | { readonly kind: "ca" }
  /** The key with this fingerprint. */
  | { readonly kind: "pin"; readonly fingerprint: string }
  /** Whatever key the relay had the first time. Only for loopback, where nobody is in between. */
  | { readonly kind: "first-use" }
  | { readonly kind: "insecure" };

/** A relay that was checked before: its pin and its certificate (PEM). */
export interface KnownRelay {
  readonly fingerprint: string;
  readonly certificate: string;
}

/** The relays that this client has met, kept between runs. */
export interface KnownRelays {
  get(server: string): KnownRelay | undefined;
  set(server: string, relay: KnownRelay): Promise<void>;
}

export function memoryKnownRelays(): KnownRelays {
  const map = new Map<string, KnownRelay>();
  return {
    get: (server) => map.get(server),
    set: async (server, relay) => void map.set(server, relay),
  };
}

/** Backed by a JSON file, which several programs may write to. Throws `state` when the file is damaged. */
export async function fileKnownRelays(path: string): Promise<KnownRelays> {
  const read = async (): Promise<Record<string, KnownRelay>> => (await readJson(path, validateKnown)) ?? {};
  const map = new Map(Object.entries(await read()));
  let turn: Promise<void> = Promise.resolve();
  return {
    get: (server) => map.get(server),
    set(server, relay) {
      map.set(server, relay);
      const written = turn.then(async () => writeJson(path, { ...(await read()), ...Object.fromEntries(map) }));
      turn = written.catch(() => {});
      return written;
    },
  };
}

function validateKnown(value: unknown): Record<string, KnownRelay> {
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const known: Record<string, KnownRelay> = {};
  for (const [server, relay] of entries as [string, Partial<KnownRelay> | null][]) {
    if (typeof relay?.fingerprint !== "string" || typeof relay.certificate !== "string")
      throw new PortholeError("state", `the entry of ${server} is not a relay's pin`);
    known[server] = { fingerprint: parseFingerprint(relay.fingerprint), certificate: relay.certificate };
  }
  return known;
}

/**
 * Decides whether the relay on the other end is the right one. HTTP/2 shows us its certificate; QUIC can't (Electron refuses
 * to hand it out), so for a pinned relay QUIC trusts exactly the certificate that HTTP/2 has seen and checked.
 */
export class RelayTrust {
  readonly #server: string;
  readonly policy: TrustPolicy;
  readonly #known: KnownRelays;
  readonly #onSeen: (() => void)[] = [];

  constructor(server: string, policy: TrustPolicy, known: KnownRelays) {
    this.#server = server;
    this.policy = policy;
    this.#known = known;
  }

  /** What the HTTP/2 transport checks by itself; `verify` does the rest. */
  get http2(): PeerTrust {
    return this.policy.kind === "ca" ? { kind: "ca" } : { kind: "unchecked" };
  }

  /** What the QUIC transport checks; undefined until an HTTP/2 connection has seen the relay's certificate. */
  get quic(): PeerTrust | undefined {
    if (this.policy.kind === "ca") return { kind: "ca" };
    if (this.policy.kind === "insecure") return { kind: "unchecked" };
    const known = this.#known.get(this.#server);
    if (!known || (this.policy.kind === "pin" && known.fingerprint !== this.policy.fingerprint)) return undefined;
    return isSelfSigned(known.certificate) ? { kind: "pinned", pem: known.certificate } : { kind: "ca" };
  }

  /** What the QUIC transport checks, as soon as it is known. Rejects with the signal's reason. */
  async whenSeen(signal: AbortSignal): Promise<PeerTrust> {
    for (;;) {
      const known = this.quic;
      if (known) return known;
      await orAbort(signal, new Promise<void>((resolve) => this.#onSeen.push(resolve)));
    }
  }

  /** Throws `untrusted` when the certificate (DER) is not the expected relay's. */
  verify(certificate: Buffer): void {
    const expected = this.#expected();
    const actual = fingerprintOf(certificate);
    const isPinned = this.policy.kind === "pin";
    if (expected !== undefined && actual !== expected)
      throw new PortholeError(
        "untrusted",
        `${this.#server} is not the relay that ${isPinned ? "was pinned" : "it was"}: its key is ${actual}, expected ${expected}`,
        {
          hint: isPinned
            ? "Ask the relay's operator for its present fingerprint, and put it in the place of the old one."
            : "If the relay was set up again, give the fingerprint that it prints at its start; otherwise somebody is in between.",
        },
      );
  }

  /** Called with a certificate that `verify` accepted. */
  async remember(certificate: Buffer): Promise<void> {
    if (this.policy.kind !== "pin" && this.policy.kind !== "first-use") return;
    const pem = certificatePem(certificate);
    const relay = { fingerprint: fingerprintOf(certificate), certificate: pem };
    if (this.#known.get(this.#server)?.certificate === pem) return;
    try {
      await this.#known.set(this.#server, relay);
    } finally {
      for (const resolve of this.#onSeen.splice(0)) resolve();
    }
  }

  #expected(): string | undefined {
    switch (this.policy.kind) {
      case "pin":
        return this.policy.fingerprint;
      case "first-use":
        return this.#known.get(this.#server)?.fingerprint;
      case "ca":
      case "insecure":
        return undefined;
    }
  }
}

/** Returns the fingerprint of the key in a certificate (DER). */
export function fingerprintOf(certificate: Buffer): string {
  return fingerprint(new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" }));
}
