import { parseAddress } from "./address.ts";
import { shortCommand } from "./listening.ts";
import { dialHost, type PortTarget } from "./port-target.ts";

/** The side on which this extension runs: beside the window, or beside the workspace's files. */
export type Side = "ui" | "workspace";

/**
 * Reads what the Ports view hands to a command: its item, without its getters, or nothing at all. A program beside the window dials
 * the forwarded address, one beside the files the port itself: there `localAddress` may be a proxy's URL. Undefined for
 * whatever is not a port, so that the user can be asked instead.
 */
export function readPortArgument(argument: unknown, side: Side): PortTarget | undefined {
  if (typeof argument !== "object" || argument === null) return undefined;
  const item = argument as Readonly<Record<string, unknown>>;
  const scheme = item["protocol"] === "https" ? "https" : item["protocol"] === "http" ? "http" : undefined;
  const label = text(item["name"]) ?? processName(item["runningProcess"]);
  const local = side === "ui" ? readAddress(item["localAddress"]) : undefined;
  if (local) return { ...local, scheme: local.scheme ?? scheme, label };
  const remoteHost = text(item["remoteHost"]);
  const remotePort = item["remotePort"];
  if (remoteHost === undefined || !isHost(remoteHost) || !isPort(remotePort)) return undefined;
  return { host: dialHost(remoteHost), port: remotePort, scheme, label };
}

/** Reads the argument of a task or launch configuration: `3000`, `"3000"` or `{ "port": 3000 }`. Undefined for anything else. */
export function readPortNumber(argument: unknown): PortTarget | undefined {
  const given = typeof argument === "object" && argument !== null ? (argument as { port?: unknown }).port : argument;
  const port = typeof given === "string" && /^\d{1,5}$/.test(given) ? Number(given) : given;
  return isPort(port) ? { host: "localhost", port, scheme: undefined, label: undefined } : undefined;
}

/** `localhost:3000`, `[::1]:3000`, or a URL whose path is all that its host serves. */
export function readAddress(value: unknown): PortTarget | undefined {
  const parsed = parseAddress(text(value) ?? "");
  return parsed.target && (parsed.path === "" || parsed.path === "/") ? parsed.target : undefined;
}

/** The Ports view separates the words of a command line by NUL. */
function processName(value: unknown): string | undefined {
  const words = text(value)?.split("\0").filter(Boolean);
  return words && shortCommand(words);
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.length > 0 && value.length <= 2_000 ? value : undefined;
}

/** A name or an address and nothing else: it becomes part of a URL. */
function isHost(value: string): boolean {
  return /^[a-z0-9._:-]+$/i.test(value) && value.length <= 253;
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}
