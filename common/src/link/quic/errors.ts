import { PortholeError, type ErrorCode } from "../../errors.ts";
import { receivedAlert, sentAlert } from "../tls-alerts.ts";

/** The code of a CONNECTION_CLOSE frame and who sent it (RFC 9000 section 20). */
export interface QuicCloseError {
  readonly isApp: boolean;
  readonly errorCode: number;
}

/** An engine's knowledge about the end of a connection. */
export interface QuicEnd {
  peerError(): QuicCloseError | null;
  localError(): QuicCloseError | null;
  isTimedOut(): boolean;
}

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
  signer: 20,
};

const codesByNumber = new Map(Object.entries(closeCodes).map(([code, number]) => [number, code as ErrorCode]));

/** Returns the application error code of a CONNECTION_CLOSE frame for an error code. */
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

/** The transport errors of RFC 9000 section 20.1: what the side that is named by "the other side" has done. */
const transportTexts: Readonly<Record<number, string>> = {
  0x0: "ended the connection",
  0x1: "failed",
  0x2: "takes no connections now",
  0x3: "sent more than it may",
  0x4: "opened more streams than it may",
  0x5: "used a stream that is over",
  0x6: "changed the length of a stream",
  0x7: "sent a frame that can't be read",
  0x8: "sent parameters that are wrong",
  0x9: "used too many connection ids",
  0xa: "broke QUIC's rules",
  0xb: "sent a token that is not valid",
  0xc: "ended the connection before the handshake was over",
  0xd: "sent more of the handshake than fits",
  0xe: "failed to change keys",
  0xf: "used a key for too long",
  0x10: "can't be reached any more",
};

function transportText(number: number): string {
  return transportTexts[number] ?? "broke QUIC's rules";
}

/** The other side's CONNECTION_CLOSE as an error of ours. `what` names the connection. */
function fromPeerClose(close: QuicCloseError, what: string): PortholeError {
  const { isApp, errorCode } = close;
  if (isApp) {
    const code = codesByNumber.get(errorCode) ?? "closed";
    return new PortholeError(code, `${what}: the other side closed the connection (${code})`);
  }
  const alert = alertIn(errorCode);
  const cause = new Error(`CONNECTION_CLOSE by the other side, QUIC error ${errorCode}`);
  if (alert !== undefined) {
    const { code, text } = receivedAlert(alert);
    return new PortholeError(code, `${what}: the other side ${text}`, { cause });
  }
  const says = errorCode in transportCodes ? transportText(errorCode) : "says that this side broke QUIC's rules";
  return new PortholeError(transportCodes[errorCode] ?? "protocol", `${what}: the other side ${says}`, { cause });
}

/** Why our own engine ended a connection. */
function fromLocalClose(close: QuicCloseError, what: string): PortholeError {
  const alert = close.isApp ? undefined : alertIn(close.errorCode);
  const cause = new Error(`Our engine closed with QUIC error ${close.errorCode}`);
  if (alert === undefined)
    return new PortholeError("protocol", `${what}: the other side ${transportText(close.errorCode)}`, { cause });
  const { code, text } = sentAlert(alert);
  return new PortholeError(code, `${what}: the other side ${text}`, { cause });
}

function alertIn(errorCode: number): number | undefined {
  const alert = errorCode - alertBase;
  return alert >= 0 && alert <= 0xff ? alert : undefined;
}

/** Why a connection is over that we have not closed. */
export function endOf(engine: QuicEnd, what: string): PortholeError {
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
