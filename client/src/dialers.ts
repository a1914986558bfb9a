import { dialHttp2 } from "@porthole/common/link/http2";
import { dialQuic, quicAvailability } from "@porthole/common/link/quic";
import type { Dialers } from "@porthole/common/tunnel";

/** The transports of this machine. */
export function createDialers(): Dialers {
  const quic = quicAvailability();
  return { http2: dialHttp2, quic: quic.available ? { available: true, dial: dialQuic } : quic };
}
