/** The reason of a failure, for the code that decides what to do next. The set is closed. */
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
  | "signer" // the program or the person that holds a key did not sign
  | "address" // a port is taken or an address can't be bound
  | "untrusted" // the relay is not the one we were told to trust
  | "unauthorized" // the relay does not know our key
  | "name" // the name is not allowed, unknown, or belongs to another key
  | "version" // the two sides have no protocol version in common
  | "protocol" // the other side broke the protocol
  | "limit" // the other side went over a limit
  | "unavailable" // this machine lacks what it takes (no QUIC binding, for example)
  | "aborted" // our own side, or a visitor, ended it early
  | "internal"; // a bug

interface Meaning {
  readonly retryable: boolean;
  /** The relay has decided not to serve this client. */
  readonly isRefusal: boolean;
}

const again: Meaning = { retryable: true, isRefusal: false };
const failed: Meaning = { retryable: false, isRefusal: false };
const refused: Meaning = { retryable: false, isRefusal: true };

const meanings: Readonly<Record<ErrorCode, Meaning>> = {
  unreachable: again,
  timeout: again,
  closed: again,
  draining: again,
  busy: again,
  "service-down": again,
  ca: again,
  usage: failed,
  state: failed,
  key: failed,
  signer: failed,
  address: failed,
  untrusted: failed,
  unauthorized: refused,
  name: refused,
  version: refused,
  protocol: failed,
  limit: failed,
  unavailable: failed,
  aborted: failed,
  internal: failed,
};

/** Returns whether the value is a code of the closed set. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(meanings, value);
}

/** Settings that a text of the library may name. */
export const settingNames = [
  "acme-creds-path",
  "acme-directory",
  "acme-eab-hmac-file",
  "acme-eab-kid",
  "acme-email",
  "acme-staging",
  "alpn-port",
  "headers",
  "local",
  "local-ca",
  "local-insecure",
  "name",
  "state-dir",
  "transport",
] as const;
export type SettingName = (typeof settingNames)[number];

/** Names a setting in a message or hint. The library does not know how its user changes it, so each program words it with `wordSettings`. */
export function setting(name: SettingName): string {
  return `{${name}}`;
}

/** Replaces the settings that a text names, for example by flags. Other text in braces stays as it is. */
export function wordSettings(text: string, word: (name: SettingName) => string): string {
  return text.replace(/\{([a-z-]+)\}/g, (all, name: string) => (isSettingName(name) ? word(name) : all));
}

function isSettingName(name: string): name is SettingName {
  return (settingNames as readonly string[]).includes(name);
}

export interface PortholeErrorOptions {
  readonly cause?: unknown;
  /** The user's next step, as a sentence. It may name settings, see `setting`. */
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

  /** The message of the cause, a library's own words. For the debug log only. */
  get causeText(): string | undefined {
    return this.cause instanceof Error && this.cause.message !== "" ? this.cause.message : undefined;
  }

  get retryable(): boolean {
    return meanings[this.code].retryable;
  }

  get isRefusal(): boolean {
    return meanings[this.code].isRefusal;
  }

  /** Any caught value as one of ours; what is not ours is a bug until its layer translates it. */
  static from(reason: unknown): PortholeError {
    if (reason instanceof PortholeError) return reason;
    if (reason instanceof DOMException && reason.name === "AbortError")
      return new PortholeError("aborted", "The operation was aborted", { cause: reason });
    return new PortholeError("internal", reason instanceof Error ? reason.message : String(reason), { cause: reason });
  }
}
