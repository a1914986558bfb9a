import { join, resolve } from "node:path";
import { PortholeError } from "../errors.ts";
import { canonicalHostName, formatIp, friendlyName, parseIp } from "../protocol/index.ts";
import { homeFolder } from "../util/data-folder.ts";
import { parseDurationMs } from "../util/duration.ts";
import { parseHex } from "../util/hex.ts";

/** How a flag's text becomes its value. `parse` throws any error whose message completes "--flag: ". */
export interface Parser<T> {
  /** Stands for the value in help texts: PORT. Empty for a flag without a value. */
  readonly placeholder: string;
  parse(text: string): T;
  /** Whether a secret is in the value: a flag with it is refused, because every user of the machine can read command lines. */
  holdsSecret?(value: T): boolean;
}

export interface HostPort {
  /** A host name in canonical form, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A flag without a value: `--open`, `--no-open`, and `PORTHOLE_OPEN=true`. */
export const flag: Parser<boolean> = {
  placeholder: "",
  parse(text) {
    if (/^(true|1|yes|on)$/i.test(text)) return true;
    if (/^(false|0|no|off)$/i.test(text)) return false;
    throw unexpected(text, "true or false");
  },
};

export const text: Parser<string> = { placeholder: "TEXT", parse: (value) => value };

/** 0 asks the system for a free port. */
export const port: Parser<number> = { ...integer(0, 65_535), placeholder: "PORT" };

/** Bytes as hex digits. */
export const hex: Parser<Buffer> = { placeholder: "HEX", parse: parseHex };

/** An absolute path; `~/` is the home folder also where no shell has replaced it. */
export const path: Parser<string> = {
  placeholder: "PATH",
  parse: (value) => (value.startsWith("~/") ? join(homeFolder(), value.slice(2)) : resolve(value)),
};

/** A friendly name, the first label of a public name. */
export const friendlyLabel: Parser<string> = {
  placeholder: "NAME",
  parse(value) {
    const name = friendlyName(value);
    if (name !== undefined) return name;
    throw unexpected(value, "a name of letters, digits and hyphens, 63 at most");
  },
};

/** A whole number from `min` to `max`, both included. */
export function integer(min: number, max: number): Parser<number> {
  return {
    placeholder: "NUMBER",
    parse(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      throw unexpected(value, `a whole number from ${min} to ${max}`);
    },
  };
}

/** One of the given words. */
export function choice<const T extends string>(...choices: readonly T[]): Parser<T> {
  return {
    placeholder: choices.join("|"),
    parse(value) {
      const found = choices.find((one) => one === value);
      if (found !== undefined) return found;
      throw unexpected(value, choices.join(" or "));
    },
  };
}

/** `host:port`, `192.0.2.1:port`, `[2001:db8::1]:port`; without `:port` where there is a default one. */
export function hostPort(defaultPort?: number): Parser<HostPort> {
  return {
    placeholder: defaultPort === undefined ? "HOST:PORT" : "HOST[:PORT]",
    parse(value) {
      const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(value);
      const host = match?.[1] !== undefined ? ipv6(match[1]) : hostName(match?.[2] ?? "");
      const portNumber = match?.[3] === undefined ? defaultPort : Number(match[3]);
      if (host === undefined && parseIp(value)?.length === 16)
        throw unexpected(value, `an IPv6 address in brackets: [${value}]:${defaultPort ?? 443}`);
      if (host === undefined || portNumber === undefined || portNumber < 1 || portNumber > 65_535)
        throw unexpected(
          value,
          defaultPort === undefined ? "a host and a port like example.com:443" : "a host, or host:port",
        );
      return { host, port: portNumber };
    },
  };
}

/** The text that `hostPort` reads. */
export function formatHostPort({ host, port: number }: HostPort): string {
  return host.includes(":") ? `[${host}]:${number}` : `${host}:${number}`;
}

/** `500ms`, `10s`, `1.5h`, `30d`: milliseconds. */
export const durationMs: Parser<number> = {
  placeholder: "TIME",
  parse(value) {
    const ms = parseDurationMs(value);
    if (ms === undefined) throw unexpected(value, "a time like 500ms, 10s, 5m, 2h or 30d");
    return ms;
  },
};

function ipv6(value: string): string | undefined {
  const bytes = parseIp(value);
  // The zone of a link-local address (%eth0) matters for connecting.
  return value.includes(":") && bytes ? formatIp(bytes) + (/%[\w.-]+$/.exec(value)?.[0] ?? "") : undefined;
}

function hostName(value: string): string | undefined {
  const bytes = parseIp(value);
  return bytes ? formatIp(bytes) : canonicalHostName(value);
}

function unexpected(value: string, expected: string): PortholeError {
  const shown = value.length > 100 ? `${value.slice(0, 100)}…` : value;
  return new PortholeError("usage", `expected ${expected}, got ${JSON.stringify(shown)}`);
}
