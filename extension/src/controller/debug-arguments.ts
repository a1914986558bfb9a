import { PortholeError } from "@porthole/common/errors";

/**
 * Returns Node's arguments that let a debugger attach to the daemon at 127.0.0.1. Returns none outside development: everyone who
 * reaches that port can run code in the daemon.
 *
 * `port` is PORTHOLE_DAEMON_INSPECT, which `.vscode/launch.json` sets. Throws `usage` when it is not a port number.
 */
export function debugArguments(isDevelopment: boolean, port: string | undefined): readonly string[] {
  if (!isDevelopment || !port) return [];
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535)
    throw new PortholeError("usage", `PORTHOLE_DAEMON_INSPECT is not a port number: ${port}`);
  return [`--inspect=127.0.0.1:${port}`, "--enable-source-maps"];
}
