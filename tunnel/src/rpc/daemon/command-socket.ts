import type { Socket } from "node:net";
import { openControlSocket } from "@porthole/common/control";
import type { Clock } from "@porthole/common/util";
import { serveCaller, type Caller } from "./caller.ts";
import type { Runtime } from "./runtime.ts";

/** The deadline from the connection to a caller's `initialize`. */
const introductionMs = 5_000;
/** A caller that is still writing would not get to read the last answer if the connection was destroyed at once. */
const lingerMs = 1_000;

export interface CommandSocketOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  /** What the user can do when another client runs with the state folder, as a sentence. */
  readonly inUseHint: string;
}

/** Programs attach to the running client here. They come and go; the client continues until one of them calls `shutdown`. */
export interface CommandSocket {
  /** Lets each attached program read the last answers, then disconnects it. */
  close(): Promise<void>;
}

/** Rejects with `state` when another client runs with this folder, or when everybody may write to it. The runtime stays its owner's. */
export async function openCommandSocket(
  runtime: Runtime,
  { stateDir, clock, inUseHint }: CommandSocketOptions,
): Promise<CommandSocket> {
  const callers = new Set<Caller>();

  function onConnection(socket: Socket): void {
    const deadline = clock.timer(introductionMs, () => socket.destroy());
    const open = async (): Promise<Runtime> => {
      deadline.cancel();
      return runtime;
    };
    const caller = serveCaller({ input: socket, output: socket }, open, clock);
    callers.add(caller);
    void caller.left.then(() => {
      deadline.cancel();
      callers.delete(caller);
      const linger = clock.timer(lingerMs, () => socket.destroy());
      socket.on("close", () => linger.cancel());
      socket.resume().end();
    });
  }

  const socket = await openControlSocket({
    ...{ stateDir, program: "client", clock, inUseHint, onConnection },
    onUnusable: ({ message, hint }) => runtime.log.warn({ hint }, `${message}; it runs, and commands do not reach it`),
  });
  return {
    async close() {
      await Promise.all([...callers].map((caller) => caller.close()));
      await socket.close();
    },
  };
}
