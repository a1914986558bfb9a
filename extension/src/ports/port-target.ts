/** A local port that can be exposed, as this side of the editor can reach it. */
export interface PortTarget {
  readonly host: string;
  readonly port: number;
  readonly scheme: "http" | "https" | undefined;
  /** The user's name for it: the port's label in the Ports view, or its process. */
  readonly label: string | undefined;
}

/** The local service in the words of the command line. */
export function localOf({ host, port, scheme }: PortTarget): string {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return scheme === "https" ? `https://${authority}` : authority;
}

const anyAddress = ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", ""];
const loopback = ["localhost", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"];

/**
 * Where a service that listens on this address can be reached. `localhost` stands for both families: a server on `::1` alone
 * is as common as one on 127.0.0.1.
 */
export function dialHost(listening: string): string {
  const host = listening.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return anyAddress.includes(host) || loopback.includes(host) ? "localhost" : host;
}

/** `host:port` in each form in which the Ports view may write a port of this machine. */
export function portViewForms({ host, port }: PortTarget): readonly string[] {
  const hosts = host === "localhost" ? [...loopback, ...anyAddress.slice(0, -1)] : [host];
  return hosts.map((each) => `${each}:${port}`);
}

/** True for a port that our own user interface passes to a command. */
export function isPortTarget(value: unknown): value is PortTarget {
  const target = value as Partial<PortTarget> | undefined;
  return typeof target?.host === "string" && typeof target.port === "number" && "scheme" in target && "label" in target;
}
