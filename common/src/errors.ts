/** What went wrong, from the point of view of whoever must decide what to do next. The set is closed. */
export type ErrorCode =
  // Trying again can help.
  | "unreachable" // no connection to the other host, or it ended during the handshake
  | "timeout" // a deadline passed
  | "closed" // an established link or stream ended
  | "draining" // the other side is about to stop; go elsewhere
  | "busy" // a limit of the other side is reached for now
  | "service-down" // the local service does not accept connections
  | "ca" // the certificate authority refused or could not finish an order
  // Trying again will not help until somebody changes something.
  | "usage" // a flag, a setting or an argument is wrong
  | "state" // a file of ours is damaged, unreadable or can't be written
  | "key" // a key is of a kind that can't serve
  | "address" // a port is taken or an address can't be bound
  | "untrusted" // the relay is not the one we were told to trust
  | "unauthorized" // the relay does not know our key
  | "name" // the name is not allowed, unknown, or belongs to another key
  | "version" // the two sides have no protocol version in common
  | "protocol" // the other side broke the protocol
  | "limit" // the other side went over a limit
  | "unavailable" // this machine lacks what it takes (no QUIC binding, for example)
  | "aborted" // our own side, or a visitor, gave up
  | "internal"; // a bug

interface Meaning {
  readonly retryable: boolean;
  /** Exit status of a program that ends with it: 1 failed, 2 wrong usage, 3 refused by the relay. */
  readonly exitCode: 0 | 1 | 2 | 3;
}

const again: Meaning = { retryable: true, exitCode: 1 };
const failed: Meaning = { retryable: false, exitCode: 1 };
const usage: Meaning = { retryable: false, exitCode: 2 };
const refused: Meaning = { retryable: false, exitCode: 3 };

const meanings: Readonly<Record<ErrorCode, Meaning>> = {
  unreachable: again,
  timeout: again,
  closed: again,
  draining: again,
  busy: again,
  "service-down": again,
  ca: again,
  usage,
  state: failed,
  key: failed,
  address: failed,
  untrusted: failed,
  unauthorized: refused,
  name: refused,
  version: refused,
  protocol: failed,
  limit: failed,
  unavailable: failed,
  aborted: { retryable: false, exitCode: 0 },
  internal: failed,
};

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(meanings, value);
}

export interface PortholeErrorOptions {
  readonly cause?: unknown;
  /** What the user can do next, as a sentence. */
  readonly hint?: string;
  /** The other side asks not to be tried again before this many milliseconds. */
  readonly retryAfterMs?: number;
}

/** The one error class. The message says what happened and where; decisions are made on `code`, never on text. */
export class PortholeError extends Error {
  override readonly name = "PortholeError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: PortholeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return meanings[this.code].retryable;
  }

  get exitCode(): 0 | 1 | 2 | 3 {
    return meanings[this.code].exitCode;
  }

  /** Any caught value as one of ours; what is not ours is a bug until its layer translates it. */
  static from(reason: unknown): PortholeError {
    if (reason instanceof PortholeError) return reason;
    if (reason instanceof DOMException && reason.name === "AbortError")
      return new PortholeError("aborted", "The operation was aborted", { cause: reason });
    return new PortholeError("internal", reason instanceof Error ? reason.message : String(reason), { cause: reason });
  }
}
