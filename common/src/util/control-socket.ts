import { createHash } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isErrorCode, PortholeError } from "../errors.ts";
import { errnoOf, makeFolder, stateError } from "./state-file.ts";

const answerDeadlineMs = 5_000;
/** Of whoever follows and does not read. */
const maxUnreadBytes = 64 * 1024 * 1024;
/** An answer is an object with this key when it is an error. */
const errorKey = "$error";
/** Of a Unix socket's path, on the strictest of the platforms (macOS: 104 with the final zero). */
const maxPathBytes = 103;

/** Which running program: one of its kind for each state folder. */
export interface ControlPlace {
  readonly stateDir: string;
  /** `client` or `relay`: the socket's file name. */
  readonly program: string;
}

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
}

/** By which a command like `porthole status` reaches a program that runs; also what keeps two of them from using one state folder. */
export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Listens in the state folder, which only its user may enter. One line with a command comes in, and maybe a space and its
 * parameters as JSON; lines of JSON go out, the answer as the last.
 * Rejects with `state` when another program of the kind is running with this folder.
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const { stateDir, commands } = options;
  const path = socketPath(options);
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    createInterface({ input: socket }).once("line", (line) => void answerLine(socket, line, commands));
  });
  server.unref();
  await makeFolder(stateDir);
  for (let attempt = 1; ; attempt++) {
    try {
      server.listen(path);
      await once(server, "listening");
      break;
    } catch (reason) {
      if (errnoOf(reason) !== "EADDRINUSE") throw stateError("write", path, reason);
      // Somebody listens, or somebody was killed and has left the file behind.
      if (attempt > 1 || (await isAnswered(path))) throw inUse(options);
      await rm(path, { force: true });
    }
  }
  return {
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
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
  const path = socketPath(place);
  const socket = net.connect(path);
  const leave = (): void => void socket.destroy();
  signal?.addEventListener("abort", leave, { once: true });
  try {
    await once(socket, "connect");
  } catch (reason) {
    if (errnoOf(reason) === "EACCES") throw stateError("read", path, reason);
    return;
  }
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

async function answerLine(
  socket: Socket,
  line: string,
  commands: Readonly<Record<string, ControlHandler>>,
): Promise<void> {
  const leave = new AbortController();
  socket.on("close", () => leave.abort(new PortholeError("closed", "Whoever asked has left")));
  const write = (value: unknown): void => void socket.write(`${JSON.stringify(value)}\n`);
  const send = (value: unknown): void => {
    write(value);
    if (socket.writableLength > maxUnreadBytes) socket.destroy();
  };
  try {
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

function socketPath({ stateDir, program }: ControlPlace): string {
  const digest = createHash("sha256").update(stateDir).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\porthole-${program}-${digest}`;
  const path = join(stateDir, `${program}.sock`);
  return Buffer.byteLength(path) <= maxPathBytes ? path : join(tmpdir(), `porthole-${program}-${digest}.sock`);
}
