import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import { PortholeError } from "../errors.ts";
import { withDeadline } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import { refuseSharedFolder, socketPath, withSocketPath, type ControlPlace } from "./control-place.ts";
import { lockFile, whileHeld, type Lock } from "../util/lock.ts";
import { errnoOf, makeFolder, stateError } from "../util/state-file.ts";

/** Longer than a lock whose holder was killed is waited for. */
const lockDeadlineMs = 20_000;
/** Programs that are connected at once. The next one is disconnected. */
const maxConnections = 32;

export interface ControlSocketOptions extends ControlPlace {
  /** Owns the socket until it closes it; `close` of the control socket destroys what is left. Errors of the socket are handled. */
  readonly onConnection: (socket: Socket) => void;
  /** Hint for the user when another program is running with this folder, as a sentence. */
  readonly inUseHint: string;
  /** The disk is full or read-only: the program runs, and commands don't reach it. Without a listener that is an error. */
  readonly onUnusable?: (error: PortholeError) => void;
  readonly clock: Clock;
}

/** The socket by which commands like `porthole status` reach a running program. It also keeps two programs from using one state folder. */
export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Listens in the state folder, for its user alone.
 * Rejects with `state` when another program of the kind is running with this folder, or when everybody may write to it.
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { stateDir, onConnection } = options;
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    onConnection(socket);
  });
  server.maxConnections = maxConnections;
  server.unref();
  await makeFolder(stateDir);
  await refuseSharedFolder(stateDir);
  let isLed: boolean;
  try {
    // Node removes the socket by the path that it was told, which is gone where that was a link.
    isLed = await withSocketPath(options, async (path) => {
      await listen(server, path, options);
      return path !== socketPath(options);
    });
  } catch (reason) {
    if (!options.onUnusable || !isUnwritable(reason)) throw reason;
    options.onUnusable(stateError("write", socketPath(options), reason));
    return { close: async () => {} };
  }
  return {
    async close() {
      const closed = [server, ...sockets].map((each) => new Promise((resolve) => each.once("close", resolve)));
      // While it is answered, for then nobody else makes one.
      if (isLed) await rm(socketPath(options), { force: true });
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** A connection to the program that runs with this state folder; undefined when none runs. The caller closes it. Rejects with `state` when this user may not connect. */
export async function connectControlSocket(place: ControlPlace): Promise<Socket | undefined> {
  await refuseSharedFolder(place.stateDir);
  return withSocketPath(place, async (path) => {
    const socket = net.connect(path);
    try {
      await once(socket, "connect");
    } catch (reason) {
      if (errnoOf(reason) === "EACCES") throw stateError("read", socketPath(place), reason);
      return undefined;
    }
    socket.on("error", () => {});
    return socket;
  });
}

/** `path` leads to the socket, whose own name may be longer. */
async function listen(server: net.Server, path: string, options: ControlSocketOptions): Promise<void> {
  if (await tryListen(server, path, options)) return;
  if (await isAnswered(path)) throw inUse(options);
  // Somebody was killed and has left the file behind. One at a time: the other one's may be new.
  const { clock, stateDir, program } = options;
  await withDeadline(
    { clock, delayMs: lockDeadlineMs, what: "Taking over a killed program's socket" },
    async (signal) => {
      const takeOver = async (): Promise<void> => {
        if (await isAnswered(path)) throw inUse(options);
        await rm(socketPath(options), { force: true });
        if (!(await tryListen(server, path, options))) throw inUse(options);
      };
      let lock: Lock | undefined;
      try {
        lock = await lockFile(join(stateDir, `${program}.sock.lock`), clock, signal);
      } catch (reason) {
        // All that matters is here already; without the lock two that start at the same time may both continue.
        if (!isUnwritable(reason)) throw reason;
      }
      await (lock ? whileHeld(lock, signal, takeOver) : takeOver());
    },
  );
}

const unwritableCodes = new Set<string | undefined>(["ENOSPC", "EDQUOT", "EROFS"]);

function isUnwritable(reason: unknown): boolean {
  const cause = reason instanceof PortholeError ? reason.cause : reason;
  return unwritableCodes.has(errnoOf(cause));
}

/** False where there is a socket already. */
async function tryListen(server: net.Server, path: string, place: ControlPlace): Promise<boolean> {
  try {
    server.listen(path);
    await once(server, "listening");
    // The folder may be one that others may enter.
    if (process.platform !== "win32") await chmod(path, 0o600);
    return true;
  } catch (reason) {
    if (errnoOf(reason) === "EADDRINUSE") return false;
    throw stateError("write", socketPath(place), reason);
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = net.connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function inUse({ stateDir, program, inUseHint }: ControlSocketOptions): PortholeError {
  return new PortholeError("state", `Another ${program} is running with the state folder ${stateDir}`, {
    hint: inUseHint,
  });
}
