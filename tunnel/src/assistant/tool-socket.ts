import type { Socket } from "node:net";
import { connectControlSocket, openControlSocket, type ControlSocket } from "@porthole/common/control";
import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock } from "@porthole/common/util";
import { fromRpcErrorData, rpcErrorData, type RpcErrorData } from "../rpc/index.ts";
import { assistantLimits } from "./limits.ts";

/** The tools of one process for the assistants of another one: each connection is one call, a line of JSON for each direction. */

const program = "assistant";
const { maxCallBytes, maxAnswerBytes, callMs } = assistantLimits;

export type RunTool = (name: string, input: unknown, signal: AbortSignal) => Promise<string>;

interface Call {
  readonly name: string;
  readonly input: unknown;
}

type Answer = { readonly text: string } | { readonly error: RpcErrorData };

export interface ToolSocketOptions {
  /** A folder for this user alone: every program that may enter it may call. */
  readonly folder: string;
  readonly clock: Clock;
}

/** Runs tools for other processes of this user. The caller closes it. Rejects with `state`. */
export function serveTools(run: RunTool, { folder, clock }: ToolSocketOptions): Promise<ControlSocket> {
  return openControlSocket({
    ...{ stateDir: folder, program, clock },
    inUseHint: "Each window has a folder of its own.",
    onConnection: (socket) => void answerCall(socket, run, clock),
  });
}

/** Calls a tool where `serveTools` runs it. Rejects with what failed there, and with `closed` when nobody answers. */
export async function callTool(call: Call, { folder, clock }: ToolSocketOptions, signal: AbortSignal): Promise<string> {
  const socket = await connectControlSocket({ stateDir: folder, program });
  if (!socket) throw gone();
  try {
    socket.write(`${JSON.stringify(call)}\n`);
    const options = { clock, delayMs: callMs, what: "The editor's answer", signal };
    const line = await withDeadline(options, (within) => readLine(socket, maxAnswerBytes, within));
    const answer = JSON.parse(line) as Answer;
    if ("error" in answer) throw fromRpcErrorData(answer.error);
    return answer.text;
  } finally {
    socket.destroy();
  }
}

/** Never rejects. A caller that leaves has cancelled. */
async function answerCall(socket: Socket, run: RunTool, clock: Clock): Promise<void> {
  const left = new AbortController();
  socket.once("close", () => left.abort(new PortholeError("aborted", "The assistant has cancelled the call")));
  let answer: Answer;
  try {
    const options = { clock, delayMs: callMs, what: "The assistant's call", signal: left.signal };
    const text = await withDeadline(options, async (within) => {
      const { name, input } = JSON.parse(await readLine(socket, maxCallBytes, within)) as Call;
      return run(name, input, within);
    });
    answer = { text };
  } catch (reason) {
    answer = { error: rpcErrorData(reason) };
  }
  socket.end(`${JSON.stringify(answer)}\n`);
}

/** Rejects with `closed` when the other end leaves first, and with `limit` when the line is too long. */
function readLine(socket: Socket, maxBytes: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) finish(() => reject(new PortholeError("limit", "The message is too long")));
      else if (chunk.includes(0x0a)) finish(() => resolve(Buffer.concat(chunks).toString()));
    };
    const onEnd = (): void => finish(() => reject(gone()));
    const onAbort = (): void => finish(() => reject(PortholeError.from(signal.reason)));
    const finish = (settle: () => void): void => {
      socket.off("data", onData).off("end", onEnd).off("close", onEnd);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    socket.on("data", onData).once("end", onEnd).once("close", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function gone(): PortholeError {
  return new PortholeError("closed", "The editor's window has ended", { hint: "Start the server again." });
}
