import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What can be exposed: a port, an address as on the command line (`tcp://127.0.0.1:6379`), a server, or what answers requests. */
export type Exposable = number | string | http.Server | RequestListener;

/** Something that listens. */
export interface Served {
  /** As a tunnel takes it. */
  readonly local: string;
  /** Ends what was opened here, and leaves alone what listened before. Never rejects. */
  close(): Promise<void>;
}

/**
 * Makes it listen where it does not yet: on a socket in a folder that only this user can enter, so that no port is open; on Windows
 * on a free port of 127.0.0.1. The caller closes it.
 */
export async function serve(exposable: Exposable): Promise<Served> {
  if (typeof exposable === "number" || typeof exposable === "string") return { local: String(exposable), close };
  const server = typeof exposable === "function" ? http.createServer(exposable) : exposable;
  if (server.listening) return { local: localOf(server), close };
  const folder = process.platform === "win32" ? undefined : await mkdtemp(join(tmpdir(), "porthole-"));
  const stop = async (): Promise<void> => {
    if (server.listening) {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  try {
    if (folder === undefined) server.listen(0, "127.0.0.1");
    else server.listen(join(folder, "http.sock"));
    await once(server, "listening");
    return { local: localOf(server), close: stop };
  } catch (reason) {
    await stop();
    throw reason;
  }
}

async function close(): Promise<void> {}

function localOf(server: http.Server): string {
  const address = server.address() as AddressInfo | string;
  if (typeof address === "string") return `unix:${address}`;
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  // Every address of the machine, this one among them.
  return `http://${["0.0.0.0", "[::]"].includes(host) ? "localhost" : host}:${address.port}`;
}
