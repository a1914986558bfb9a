import { quicAvailability } from "@porthole/common/link/quic";
import { quicReason, skipUnless } from "../skip.ts";

export type Transport = "quic" | "http2";

/** Declares the suite twice. Where this machine has no QUIC, its half says so and is counted as skipped. */
export function overEachTransport(declare: (transport: Transport) => void): void {
  for (const transport of ["quic", "http2"] as const) {
    describe(transport === "quic" ? "over QUIC" : "over HTTP/2", () => {
      if (transport === "quic") before(needQuic);
      declare(transport);
    });
  }
}

/** A `before` hook for suites that need QUIC. */
export function needQuic(this: Mocha.Context): void {
  const quic = quicAvailability();
  skipUnless(this, quic.available, quic.available ? "" : quicReason(quic.reason));
}
