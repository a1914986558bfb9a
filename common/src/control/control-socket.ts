import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { join } from "node:path";
import { isErrorCode, PortholeError } from "../errors.ts";
import { withDeadline } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import { refuseSharedFolder, socketPath, withSocketPath, type ControlPlace } from "./control-place.ts";
import { lockFile, whileHeld, type Lock } from "../util/lock.ts";
import { errnoOf, makeFolder, stateError } from "../util/state-file.ts";

const answerDeadlineMs = 5_000;
/** From the connection to the end of the command's line. */
const commandDeadlineMs = 5_000;
/** Longer than a lock whose holder was killed is waited for. */
const lockDeadlineMs = 20_000;
/** An edited replay has a body of any kind in it. */
const maxCommandBytes = 32 * 1024 * 1024;
/** Of whoever follows and does not read. */
const maxUnreadBytes = 64 * 1024 * 1024;
/** An answer is an object with this key when it is an error. */
const errorKey = "$error";

/** What it answers to a command, or a promise of it; undefined for nothing. What it throws reaches whoever asks as a PortholeError. */
export type ControlHandler = (params: unknown, call: ControlCall) => unknown;

export interface ControlCall {
  /** Aborts when whoever asks has left. */
  readonly signal: AbortSignal;
  /** A line before the answer, for whoever follows. */
  readonly send: (value: unknown) => void;
}

export interface ControlSocketOptions extends ControlPlace {
  readonly commands: Readonly<Record<string, ControlHandler>>;
  /** What whoever starts a second one with this folder can do, as a sentence. */
  readonly inUseHint: string;
  /** The disk is full or read-only: the program runs, and commands don't reach it. Without a listener that is an error. */
  readonly onUnusable?: (error: PortholeError) => void;
  readonly clock: Clock;
}

/** By which a command like `porthole status` reaches a program that runs; also what keeps two of them from using one state folder. */
export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Listens in the state folder, for its user alone. One line with a command comes in, and maybe a space and its
 * parameters as JSON; lines of JSON go out, the answer as the last.
 * Rejects with `state` when another program of the kind is running with this folder, or when everybody may write to it.
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { stateDir } = options;
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    void answerAsker(socket, options);
  });
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
      const closed = once(server, "close");
      // While it is answered, for then nobody else makes one.
      if (isLed) await rm(socketPath(options), { force: true });
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
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
        // All that matters is here already; without the lock two that start at the same time may both go on.
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

/** What the program that runs with this state folder answers; undefined when none runs, or it has no answer. Rejects with its error, or with `state` when this user may not ask. */
export async function askControlSocket(place: ControlPlace, command: string, params?: unknown): Promise<unknown> {
  let answer: unknown;
  const lines = followControlSocket(place, command, { params, silenceMs: answerDeadlineMs });
  for await (const line of lines) answer = line;
  return answer;
}

export interface FollowOptions {
  readonly params?: unknown;
  /** How long it may say nothing; for ever when absent. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
}

/** Line by line what it answers, until it has answered or the signal aborts. Nothing when no program runs. */
export async function* followControlSocket(
  place: ControlPlace,
  command: string,
  { params, silenceMs = 0, signal }: FollowOptions = {},
): AsyncGenerator<unknown, void> {
  await refuseSharedFolder(place.stateDir);
  const socket = await withSocketPath(place, async (path) => {
    const made = net.connect(path);
    try {
      await once(made, "connect");
      return made;
    } catch (reason) {
      if (errnoOf(reason) === "EACCES") throw stateError("read", socketPath(place), reason);
      return undefined;
    }
  });
  if (!socket) return;
  const leave = (): void => void socket.destroy();
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted) leave();
  socket.setTimeout(silenceMs, () =>
    socket.destroy(new PortholeError("timeout", `The running ${place.program} does not answer`)),
  );
  socket.write(params === undefined ? `${command}\n` : `${command} ${JSON.stringify(params)}\n`);
  try {
    // A line may be an archive of many megabytes: it is put together once.
    let parts: string[] = [];
    socket.setEncoding("utf8");
    for await (const chunk of socket) {
      const [end = "", ...lines] = String(chunk).split("\n");
      parts.push(end);
      for (const line of lines) {
        yield readAnswer(parts.join(""));
        parts = [line];
      }
    }
  } catch (reason) {
    if (!signal?.aborted) throw reason;
  } finally {
    signal?.removeEventListener("abort", leave);
    socket.destroy();
  }
}

async function answerAsker(socket: Socket, { commands, clock }: ControlSocketOptions): Promise<void> {
  const leave = new AbortController();
  const deadline = clock.timer(commandDeadlineMs, () => socket.destroy());
  socket.on("close", () => {
    deadline.cancel();
    leave.abort(new PortholeError("closed", "Whoever asked has left"));
  });
  const write = (value: unknown): void => void socket.write(`${JSON.stringify(value)}\n`);
  const send = (value: unknown): void => {
    write(value);
    if (socket.writableLength > maxUnreadBytes) socket.destroy();
  };
  try {
    const line = await readCommand(socket);
    deadline.cancel();
    const [, command = "", json] = /^(\S+)(?: (.*))?$/s.exec(line) ?? [];
    const handler = Object.hasOwn(commands, command) ? commands[command] : undefined;
    const params: unknown = json === undefined ? undefined : JSON.parse(json);
    const answer: unknown = await handler?.(params, { signal: leave.signal, send });
    if (answer === undefined) return void socket.destroy();
    write(answer);
  } catch (reason) {
    const { code, message, hint } = PortholeError.from(reason);
    write({ [errorKey]: { code, message, hint } });
  }
  socket.end();
}

/** The first line; what comes after it is thrown away. Rejects with `limit`; never settles when whoever asks leaves before its end. */
function readCommand(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    socket.on("data", function onData(chunk: Buffer) {
      const end = chunk.indexOf("\n");
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      size += chunk.length;
      if (end < 0 && size <= maxCommandBytes) return;
      socket.off("data", onData).resume();
      if (end >= 0 && size <= maxCommandBytes) return resolve(Buffer.concat(chunks).toString("utf8").trimEnd());
      reject(new PortholeError("limit", `A command may have ${maxCommandBytes} bytes at most`));
    });
  });
}

function readAnswer(line: string): unknown {
  const value = JSON.parse(line) as Readonly<Record<string, unknown>> | null;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, errorKey)) return value;
  const { code, message, hint } = value[errorKey] as Readonly<Record<string, string | undefined>>;
  throw new PortholeError(isErrorCode(code) ? code : "internal", message ?? "", hint === undefined ? {} : { hint });
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
