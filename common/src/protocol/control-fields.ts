import { parseDirectoryUrl } from "./directory-url.ts";
import type { ControlMessage } from "./protocol.ts";

/** The type of a field of a control message. `read` returns the value to use, or undefined when it is invalid. */
export interface Field<T> {
  /** Completes "must be ...". */
  readonly what: string;
  readonly optional: boolean;
  read(value: unknown): T | undefined;
}

/** One row per field, and the compiler asks for each: a message that is added to the protocol is added here. */
type FieldsOf<M extends ControlMessage> = {
  readonly [K in Exclude<keyof M, "type">]-?: Field<Exclude<M[K], undefined>> & {
    readonly optional: undefined extends M[K] ? true : false;
  };
};

const maxDelayMs = 2 ** 31 - 1; // what setTimeout can do
const maxCount = Number.MAX_SAFE_INTEGER;

const code = text(64);
const hostName = text(253);
const clientId = text(64);
const delayMs = integer(0, maxDelayMs);
const port = integer(1, 65_535);

const ticket = object({ quic: hex(20), lifetimeMs: delayMs });

export const controlFields: {
  readonly [T in ControlMessage["type"]]: FieldsOf<Extract<ControlMessage, { type: T }>>;
} = {
  hello: {
    // 0 is a version that nobody speaks: it is answered, not dropped.
    protocol: integer(0, 65_535),
    software: prose(100),
    suffix: optional(hostName),
    name: optional(text(63)),
    token: optional(text(1_000)),
    // A key and a signature, of RSA with 8,192 bits at the longest.
    delegation: optional(text(3_000)),
    instance: text(100),
    test: optional(boolean()),
    bare: optional(boolean()),
  },
  welcome: {
    clientId,
    hostnames: list(hostName, 100),
    publicPort: port,
    limits: object({ maxStreams: integer(0, maxCount) }),
    software: prose(100),
    observedAddress: text(100),
    ticket: optional(ticket),
    certificateDirectory: optional(directoryUrl()),
    instance: optional(text(100)),
    names: optional(object({ challenge: hex(32), max: integer(1, maxCount) })),
  },
  reject: { code, message: prose(2_000), retryAfterMs: optional(delayMs) },
  drain: { reason: prose(2_000), deadlineMs: delayMs },
  goodbye: { reason: prose(2_000) },
  // A certificate of 16 KiB and a signature.
  expose: { proof: text(24_000), suffix: optional(hostName), name: optional(text(63)) },
  unexpose: { clientId },
  exposed: {
    clientId,
    hostnames: list(hostName, 100),
    code: optional(code),
    message: optional(prose(2_000)),
    retryAfterMs: optional(delayMs),
  },
  "ticket-request": { anywhere: optional(boolean()) },
  ticket: { ticket: optional(ticket) },
  "issuance-request": { hostname: hostName },
  issuance: {
    hostname: hostName,
    left: optional(integer(0, maxCount)),
    code: optional(code),
    message: optional(prose(2_000)),
    retryAfterMs: optional(delayMs),
  },
  instances: { others: integer(0, maxCount), clientId: optional(clientId) },
  ping: { n: integer(0, maxCount) },
  pong: { n: integer(0, maxCount) },
  abort: { stream: integer(0, maxCount), code },
};

type Required<T> = Field<T> & { readonly optional: false };

function integer(min: number, max: number): Required<number> {
  return {
    what: `a whole number from ${min} to ${max}`,
    optional: false,
    read: (value) =>
      Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined,
  };
}

function boolean(): Required<boolean> {
  return { what: "true or false", optional: false, read: (value) => (typeof value === "boolean" ? value : undefined) };
}

function directoryUrl(): Required<string> {
  return {
    what: "an https URL",
    optional: false,
    read: (value) => (typeof value === "string" ? parseDirectoryUrl(value) : undefined),
  };
}

/** That many bytes, as lower-case hex digits. */
function hex(bytes: number): Required<string> {
  return {
    what: `${2 * bytes} hex digits`,
    optional: false,
    read: (value) =>
      typeof value === "string" && value.length === 2 * bytes && /^[0-9a-f]*$/.test(value) ? value : undefined,
  };
}

/** Names, codes, addresses: visible ASCII, which is safe in a log and on a terminal. */
function text(maxLength: number): Required<string> {
  return {
    what: `1 to ${maxLength} visible ASCII characters`,
    optional: false,
    read: (value) =>
      typeof value === "string" && value.length <= maxLength && /^[\x21-\x7e]+$/.test(value) ? value : undefined,
  };
}

/**
 * For people to read. It ends up on terminals, so whatever could steer one (control characters, changes of writing
 * direction) is replaced; too long a text is cut, because a peer that talks much is no reason to lose the link.
 */
function prose(maxLength: number): Required<string> {
  return {
    what: "a text",
    optional: false,
    read: (value) =>
      typeof value === "string"
        ? value.slice(0, maxLength).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, " ")
        : undefined,
  };
}

function list<T>(item: Field<T>, maxLength: number): Required<readonly T[]> {
  return {
    what: `a list of at most ${maxLength}, each ${item.what}`,
    optional: false,
    read(value) {
      if (!Array.isArray(value) || value.length > maxLength) return undefined;
      const items = value.map((entry) => item.read(entry));
      return items.includes(undefined) ? undefined : (items as T[]);
    },
  };
}

function object<T extends object>(fields: { readonly [K in keyof T]: Field<T[K]> }): Required<T> {
  const entries = Object.entries<Field<unknown>>(fields);
  return {
    what: `an object in which ${entries.map(([name, field]) => `${name} is ${field.what}`).join(", ")}`,
    optional: false,
    read(value) {
      if (typeof value !== "object" || value === null) return undefined;
      const result: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
        if (given === undefined && field.optional) continue;
        const read = field.read(given);
        if (read === undefined) return undefined;
        result[name] = read;
      }
      return result as T;
    },
  };
}

function optional<T>(field: Field<T>): Field<T> & { readonly optional: true } {
  return { ...field, optional: true };
}
