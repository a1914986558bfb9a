import { constants } from "node:crypto";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { PortholeError } from "../../errors.ts";
import { alpn } from "../../protocol/protocol.ts";
import { withDeadline, type Clock } from "../../util/index.ts";
import type { ChallengeCertificate } from "./challenge-certificate.ts";
import type { ChallengeAnswer } from "./order.ts";

const handshakeMs = 10_000;
const lingerMs = 2_000;

/** The challenges that this process can answer, by name. */
export class Challenges implements ChallengeAnswer {
  readonly #contexts = new Map<string, tls.SecureContext>();

  publish(name: string, { certificate, key }: ChallengeCertificate): void {
    this.#contexts.set(
      name,
      tls.createSecureContext({
        ...{ cert: certificate, key, minVersion: "TLSv1.2" },
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      }),
    );
  }

  withdraw(name: string): void {
    this.#contexts.delete(name);
  }

  /** Returns the TLS context for a connection with ALPN `acme-tls/1` (RFC 8737) for the name. Undefined while no challenge is open for it. */
  find(name: string): tls.SecureContext | undefined {
    return this.#contexts.get(name);
  }
}

/**
 * Serves one validator: a handshake, then the end (RFC 8737 3: nothing else may be said on such a connection). The stream begins
 * with the ClientHello; it is over when this resolves. Rejects with `closed` or `timeout`, which need no more than a line in a log.
 *
 * A server side of its own instead of ALPNCallback with setKeyCert: that one is overruled by SNICallback in TLS 1.3, and whether
 * BoringSSL still looks at the certificate after ALPN is nobody's promise.
 */
export async function answerChallenge(
  stream: Duplex,
  secureContext: tls.SecureContext,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const socket = new tls.TLSSocket(stream, { isServer: true, secureContext, ALPNProtocols: [alpn.acmeChallenge] });
  try {
    await withDeadline({ clock, delayMs: handshakeMs, what: "A challenge's handshake", signal }, () => secured(socket));
    const left = new Promise<void>((resolve) => {
      for (const event of ["end", "error", "close"]) socket.on(event, () => resolve());
    });
    socket.end().resume();
    // Validators go first; one that stays has seen what it came for.
    await withDeadline({ clock, delayMs: lingerMs, what: "The end of a challenge" }, () => left).catch(() => {});
  } finally {
    socket.destroy();
    stream.destroy();
  }
}

function secured(socket: tls.TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("secure", () => resolve());
    socket.on("error", (cause) =>
      reject(new PortholeError("closed", `A challenge's handshake failed: ${cause.message}`, { cause })),
    );
    socket.on("close", () => reject(new PortholeError("closed", "A validator left during the handshake")));
  });
}
