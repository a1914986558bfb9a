import { availableParallelism } from "node:os";
import { PortholeError } from "@porthole/common/errors";
import { parseFingerprint } from "@porthole/common/identity";
import { hostPort, integer, port, type Parser } from "@porthole/common/options";
import { formatIp, parseIp } from "@porthole/common/protocol";
import type { Peer } from "../cluster/peer.ts";
import { limits } from "../workers/limits.ts";
import { parseNetwork } from "./networks.ts";

/** A port to listen on, with its address. */
export interface ListenPort {
  /** Undefined for the address of all ports. */
  readonly address: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** `443`, `127.0.0.1:8443`, `[::1]:8443`. */
export const listenPort: Parser<ListenPort> = {
  placeholder: "[ADDRESS:]PORT",
  parse(value) {
    if (/^\d+$/.test(value)) return { address: undefined, port: port.parse(value) };
    const [, ipv6, ipv4, number = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) ?? [];
    const bytes = parseIp(ipv6 ?? ipv4 ?? "");
    if (!bytes || (bytes.length === 16) !== (ipv6 !== undefined))
      throw new PortholeError(
        "usage",
        `expected a port, or an address and a port, like 443, 127.0.0.1:8443 or [::1]:8443, got ${JSON.stringify(value.slice(0, 100))}`,
      );
    return { address: formatIp(bytes), port: port.parse(number) };
  },
};

/** A number, or `auto` for one for each core. */
export const workerCount: Parser<number> = {
  placeholder: "NUMBER|auto",
  parse: (value) =>
    value === "auto" ? Math.min(availableParallelism(), limits.maxWorkers) : integer(1, limits.maxWorkers).parse(value),
};

/** Returns the form that `listenPort` reads, for a configuration file. */
export function formatListenPort({ address, port: number }: ListenPort): string | number {
  if (address === undefined) return number;
  return address.includes(":") ? `[${address}]:${number}` : `${address}:${number}`;
}

/** One network per value: `10.0.0.0/8`, or an address. */
export const networkOption: Parser<string> = {
  placeholder: "NETWORK",
  parse(value) {
    const network = parseNetwork(value);
    if (network !== undefined) return network;
    throw new PortholeError(
      "usage",
      `expected an address or a network like 127.0.0.1 or 10.0.0.0/8, got ${JSON.stringify(value.slice(0, 100))}`,
    );
  },
};

const peerAddress = hostPort();

/** Another relay: the fingerprint of its node key, and where its port for relays is. */
export const peer: Parser<Peer> = {
  placeholder: "KEY@HOST:PORT",
  parse(value) {
    const at = value.indexOf("@");
    if (at < 0)
      throw new PortholeError(
        "usage",
        `expected a relay's node key and address, like KEY@10.0.0.2:4434, got ${JSON.stringify(value.slice(0, 100))}`,
        { hint: "porthole-relay node-key shows the key of a relay." },
      );
    return { node: parseFingerprint(value.slice(0, at)), ...peerAddress.parse(value.slice(at + 1)) };
  },
};

/** A NATS server: `nats://HOST:PORT`, or `tls://HOST:PORT`. */
export const engineServer: Parser<string> = {
  placeholder: "URL",
  parse(value) {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isPlain = url?.username === "" && url.password === "" && url.hostname !== "";
    if (isPlain && ["nats:", "tls:"].includes(url.protocol)) return value.replace(/\/$/, "");
    throw new PortholeError("usage", "expected the URL of a NATS server like nats://10.0.0.1:4222, without a password");
  },
};

/** It becomes a part of subjects. */
export const clusterName: Parser<string> = {
  placeholder: "NAME",
  parse(value) {
    if (/^[a-zA-Z0-9_-]{1,32}$/.test(value)) return value;
    throw new PortholeError("usage", "expected up to 32 letters, digits, hyphens and underscores");
  },
};

/** The server that gets the names that are not ours. */
export const fallbackServer = hostPort();

const units: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** `0`, `1500000`, `10MB`, `1.5GiB`: bytes. */
export const byteCount: Parser<number> = {
  placeholder: "BYTES",
  parse(value) {
    const match = /^(\d{1,12}(?:\.\d{1,6})?)\s?((?:[kMGT]|[KMGT]i)?)B?$/.exec(value);
    const unit = units[match?.[2] ?? ""];
    const bytes = match && unit !== undefined ? Math.round(Number(match[1]) * unit) : undefined;
    if (bytes !== undefined && Number.isSafeInteger(bytes)) return bytes;
    throw new PortholeError(
      "usage",
      `expected bytes like 500MB, 10GB or 1TiB, got ${JSON.stringify(value.slice(0, 100))}`,
    );
  },
};

/** A mail address, or an https URL, in the form that RFC 9116 asks for: a URI. */
export const abuseContact: Parser<string> = {
  placeholder: "ADDRESS",
  parse(value) {
    if (/^[^\s@<>"]{1,64}@[a-zA-Z0-9.-]{1,253}$/.test(value)) return `mailto:${value}`;
    if (/^mailto:[^\s<>"]{3,320}$/.test(value)) return value;
    if (URL.canParse(value) && new URL(value).protocol === "https:" && value.length <= 2_000)
      return new URL(value).href;
    throw new PortholeError(
      "usage",
      `expected a mail address or an https URL, got ${JSON.stringify(value.slice(0, 100))}`,
    );
  },
};
