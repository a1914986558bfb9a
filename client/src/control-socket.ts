import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import net, { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PortholeError } from "@porthole/common/errors";
import { stateError } from "@porthole/common/util";

export type ControlCommand = "status" | "stop";

const answerDeadlineMs = 5_000;
/** Of a Unix socket's path, on the strictest of the platforms (macOS: 104 with the final zero). */
const maxPathBytes = 103;

/** By which `porthole status` and `porthole stop` reach a client; also what keeps two of them from using one state folder. */
export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Listens in the state folder, which only its user may enter. One line with a command comes in, one line of JSON goes out.
 * Rejects with `state` when another client with this folder is running.
 */
export async function openControlSocket(
  stateDir: string,
  answer: (command: ControlCommand) => unknown,
): Promise<ControlSocket> {
  const path = socketPath(stateDir);
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    createInterface({ input: socket }).once("line", (line) => {
      if (line === "status" || line === "stop") socket.end(`${JSON.stringify(answer(line))}\n`);
      else socket.destroy();
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
      if (attempt > 1 || (await isAnswered(path))) throw inUse(stateDir);
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

/** What the client that runs with this state folder answers; undefined when none runs. */
export async function askClient(stateDir: string, command: ControlCommand): Promise<unknown> {
  const socket = net.connect(socketPath(stateDir));
  socket.setTimeout(answerDeadlineMs, () =>
    socket.destroy(new PortholeError("timeout", "The running client does not answer")),
  );
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  socket.write(`${command}\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return JSON.parse(text);
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

function inUse(stateDir: string): PortholeError {
  return new PortholeError(
    "state",
    `Another client is running with the state folder ${stateDir}, and so with the same name`,
    {
      hint: "End it with porthole stop, or give this one a --state-dir of its own. --secondary-local exposes a second service.",
    },
  );
}

function socketPath(stateDir: string): string {
  const digest = createHash("sha256").update(stateDir).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\porthole-${digest}`;
  const path = join(stateDir, "client.sock");
  return Buffer.byteLength(path) <= maxPathBytes ? path : join(tmpdir(), `porthole-${digest}.sock`);
}
