import type { Socket } from "node:net";
import { connectControlSocket } from "@porthole/common/control";
import { isErrorCode, PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";

/** The deadline from the connection to the end of the command's line. */
const commandDeadlineMs = 5_000;
const answerDeadlineMs = 5_000;
const maxCommandBytes = 64 * 1024;
const maxAnswerBytes = 64 * 1024 * 1024;

/** Returns the answer, or a promise of it; undefined for none. What it throws is sent as a PortholeError. */
export type ControlHandler = (params: unknown) => unknown;

/**
 * Serves one command on a connection: a line `{"command", "params"}` comes in, a line `{"answer"}` or `{"error"}` goes out, and the
 * connection ends. A caller that sends too much, or takes longer than 5 seconds, is disconnected.
 */
export async function serveCommand(
  socket: Socket,
  commands: Readonly<Record<string, ControlHandler>>,
  clock: Clock,
): Promise<void> {
  const deadline = clock.timer(commandDeadlineMs, () => socket.destroy());
  socket.on("close", () => deadline.cancel());
  let reply: object;
  try {
    const { command, params } = parseRequest(await readLine(socket, maxCommandBytes));
    const handler = Object.hasOwn(commands, command) ? commands[command] : undefined;
    const answer: unknown = await handler?.(params);
    reply = answer === undefined ? {} : { answer };
  } catch (reason) {
    const { code, message, hint } = PortholeError.from(reason);
    reply = { error: { code, message, hint } };
  }
  // What comes after the command is discarded.
  socket.resume().end(`${JSON.stringify(reply)}\n`);
}

/** The answer of the relay that runs with this state folder; undefined when none runs or it has none. Rejects with the relay's error. */
export async function askRelayIfAny(stateDir: string, command: string, params?: unknown): Promise<unknown> {
  const socket = await connectControlSocket({ stateDir, program: "relay" });
  if (!socket) return undefined;
  try {
    socket.setTimeout(answerDeadlineMs, () =>
      socket.destroy(new PortholeError("timeout", "The running relay does not answer")),
    );
    socket.write(`${JSON.stringify({ command, params } satisfies Request)}\n`);
    const { answer, error } = JSON.parse(await readLine(socket, maxAnswerBytes)) as Reply;
    if (!error) return answer;
    const { code, message = "", hint } = error;
    throw new PortholeError(isErrorCode(code) ? code : "internal", message, hint === undefined ? {} : { hint });
  } finally {
    socket.destroy();
  }
}

/** Like `askRelayIfAny`, but rejects with `closed` when no relay runs. */
export async function askRelay<T>(stateDir: string, command: string, params?: unknown): Promise<T> {
  const answer = await askRelayIfAny(stateDir, command, params);
  if (answer !== undefined) return answer as T;
  throw new PortholeError("closed", `No relay is running with the state folder ${stateDir}`, {
    hint: "Start one with porthole-relay, or name its folder with --state-dir.",
  });
}

interface Request {
  readonly command: string;
  readonly params?: unknown;
}

function parseRequest(line: string): Request {
  try {
    const { command, params } = JSON.parse(line) as Partial<Request>;
    return { command: String(command), params };
  } catch (cause) {
    throw new PortholeError("usage", "This is not a command: a line of JSON is expected", { cause });
  }
}

interface Reply {
  readonly answer?: unknown;
  readonly error?: { readonly code?: string; readonly message?: string; readonly hint?: string };
}

/** The first line. Rejects with `limit`, or `closed` when the other side leaves before its end. */
async function readLine(socket: Socket, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const end = chunk.indexOf("\n");
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    size += chunk.length;
    if (size > maxBytes) throw new PortholeError("limit", `A line may have ${maxBytes} bytes at most`);
    if (end >= 0) return Buffer.concat(chunks).toString("utf8");
  }
  throw new PortholeError("closed", "The connection ended before the end of a line");
}
