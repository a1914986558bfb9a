import { PortholeError, type ErrorCode } from "../../errors.ts";
import type { QuicheCloseError, QuicheConnection } from "./binding.ts";

/** Our QUIC application error codes (RFC 9000 section 20.2). On the wire: numbers are never reused. */
const closeCodes: Readonly<Record<ErrorCode, number>> = {
  closed: 0,
  draining: 1,
  busy: 2,
  timeout: 3,
  unreachable: 4,
  "service-down": 5,
  usage: 6,
  state: 7,
  key: 8,
  address: 9,
  untrusted: 10,
  unauthorized: 11,
  name: 12,
  version: 13,
  protocol: 14,
  limit: 15,
  unavailable: 16,
  aborted: 17,
  internal: 18,
  ca: 19,
};

const codesByNumber = new Map(Object.entries(closeCodes).map(([code, number]) => [number, code as ErrorCode]));

export function closeCodeOf(code: ErrorCode): number {
  return closeCodes[code];
}

/** QUIC's own codes that mean something else than a broken protocol: RFC 9000 section 20.1. */
const transportCodes: Readonly<Record<number, ErrorCode>> = {
  0x0: "closed", // NO_ERROR
  0x2: "busy", // CONNECTION_REFUSED
  0xc: "closed", // APPLICATION_ERROR: closed by the application before the handshake was over
};

/** TLS alerts, which QUIC adds to 0x100: RFC 9001 section 4.8 and RFC 8446 section 6.2. */
const alertBase = 0x100;
const noApplicationProtocol = 120;
/** bad_certificate to certificate_unknown, and unknown_ca: what a check of the peer's certificate ends with. */
const certificateAlerts = new Set([42, 43, 44, 45, 46, 48]);

/** The other side's CONNECTION_CLOSE as an error of ours. `what` names the connection. */
function fromPeerClose(close: QuicheCloseError, what: string): PortholeError {
  const { isApp, errorCode } = close;
  const alert = errorCode - alertBase;
  if (isApp) {
    const code = codesByNumber.get(errorCode) ?? "closed";
    return new PortholeError(code, `${what}: the other side closed the connection (${code})`);
  }
  if (alert === noApplicationProtocol)
    return new PortholeError("version", `${what}: the other side does not speak our protocol`);
  if (alert >= 0 && alert <= 0xff)
    return new PortholeError("protocol", `${what}: the other side ended the TLS handshake (alert ${alert})`);
  return new PortholeError(
    transportCodes[errorCode] ?? "protocol",
    `${what}: the other side closed the connection (QUIC error ${errorCode})`,
  );
}

/** Why our own engine ended a connection. */
function fromLocalClose(close: QuicheCloseError, what: string): PortholeError {
  const alert = close.errorCode - alertBase;
  if (!close.isApp && certificateAlerts.has(alert))
    return new PortholeError("untrusted", `${what}: the certificate can't be trusted (TLS alert ${alert})`);
  if (!close.isApp && alert >= 0 && alert <= 0xff)
    return new PortholeError("protocol", `${what}: the TLS handshake failed (alert ${alert})`);
  return new PortholeError("protocol", `${what}: the other side broke QUIC (error ${close.errorCode})`);
}

/** Why a connection is over that we have not closed. */
export function endOf(
  engine: Pick<QuicheConnection, "peerError" | "localError" | "isTimedOut">,
  what: string,
): PortholeError {
  try {
    const peer = engine.peerError();
    if (peer) return fromPeerClose(peer, what);
    const local = engine.localError();
    if (local) return fromLocalClose(local, what);
  } catch {
    // Electron can't read a close that has a reason text. Ours never have one.
  }
  return engine.isTimedOut()
    ? new PortholeError("timeout", `${what}: the other side is silent`)
    : new PortholeError("closed", `${what}: the connection ended`);
}

/**
 * What a call on a stream failed with. The binding's errors have nothing but a text, the name of quiche's error;
 * this is the one place that reads it.
 */
export function fromStreamFailure(reason: unknown, what: string): PortholeError {
  const name = reason instanceof Error ? reason.message : String(reason);
  const options = { cause: reason };
  if (name.startsWith("StreamStopped") || name.startsWith("StreamReset"))
    return new PortholeError("aborted", `${what}: the other side aborted the stream`, options);
  if (name.startsWith("StreamLimit"))
    return new PortholeError("busy", `${what}: the other side takes no more streams for now`, options);
  if (name.startsWith("InvalidStreamState"))
    return new PortholeError("closed", `${what}: the stream is closed`, options);
  return new PortholeError("internal", `${what}: the QUIC engine failed: ${name}`, options);
}
