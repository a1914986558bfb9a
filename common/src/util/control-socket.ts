import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PortholeError } from "../errors.ts";
import { stateError } from "./state-file.ts";

const answerDeadlineMs = 5_000;
/** Of a Unix socket's path, on the strictest of the platforms (macOS: 104 with the final zero). */
const maxPathBytes = 103;

/** Which running program: one of its kind for each state folder. */
export interface ControlPlace {
  readonly stateDir: string;
  /** `client` or `relay`: the socket's file name. */
  readonly program: string;
}

export interface ControlSocketOptions extends ControlPlace {
  /** What it answers, by command; undefined for nothing. */
  readonly commands: Readonly<Record<string, () => unknown>>;
  /** What whoever starts a second one with this folder can do, as a sentence. */
  readonly inUseHint: string;
}

/** By which a command like `porthole status` reaches a program that runs; also what keeps two of them from using one state folder. */
export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Listens in the state folder, which only its user may enter. One line with a command comes in, one line of JSON goes out.
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
    createInterface({ input: socket }).once("line", (line) => {
      const answer = Object.hasOwn(commands, line) ? commands[line]?.() : undefined;
      if (answer === undefined) socket.destroy();
      else socket.end(`${JSON.stringify(answer)}\n`);
    });
  });
  server.unref();
  await mkdir(stateDir, { recursive: true, mode: 0o700 }).catch((reason: unknown) => {
    throw stateError("write", stateDir, reason);
  });
  for (let attempt = 1; ; attempt++) {
    try {
      server.listen(path);
      await once(server, "listening");
      break;
    } catch (reason) {
      if ((reason as NodeJS.ErrnoException).code !== "EADDRINUSE") throw stateError("write", path, reason);
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

/** What the program that runs with this state folder answers; undefined when none runs, or it has no answer. */
export async function askControlSocket(place: ControlPlace, command: string): Promise<unknown> {
  const socket = net.connect(socketPath(place));
  socket.setTimeout(answerDeadlineMs, () =>
    socket.destroy(new PortholeError("timeout", `The running ${place.program} does not answer`)),
  );
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  socket.write(`${command}\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text === "" ? undefined : JSON.parse(text);
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
