import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { systemClock } from "@porthole/common/util";
import { workerLimits } from "./limits.ts";
import { WorkerServer } from "./worker-server.ts";
import type { FromWorker, ToWorker } from "./wire.ts";

/**
 * The QUIC worker: a process that has nothing but the QUIC engine in it, started and watched by the relay (quic-worker.ts). Whatever
 * the engine does to it, hang or crash or fill its memory, the relay ends it and starts another.
 */
process.title = "porthole-relay-quic";
// A terminal's Ctrl-C and a service manager's stop go to the whole group; the relay still has goodbyes to say through us.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const stop = new AbortController();
let server: WorkerServer | undefined;

function send(message: FromWorker, onSent = (): void => {}): void {
  // The relay may be gone by now, which `disconnect` tells.
  if (process.connected) process.send?.(message, undefined, undefined, onSent);
}

async function start(message: Extract<ToWorker, { type: "start" }>): Promise<void> {
  try {
    server = await WorkerServer.open({ ...message, clock: systemClock, send }, { signal: stop.signal });
  } catch (reason) {
    const { code, message: text, hint } = PortholeError.from(reason);
    send({ type: "failed", code, message: text, ...(hint === undefined ? {} : { hint }) }, () => process.disconnect());
    return;
  }
  send({ type: "ready", port: server.port, engine: server.engine });
  void server.lost.then(({ code, message }) => send({ type: "failed", code, message }, () => process.exit(1)));
  beat();
}

function beat(): void {
  if (stop.signal.aborted) return;
  server?.beat();
  systemClock.timer(workerLimits.beatMs, beat);
}

let opening = Promise.resolve();
process.on("message", (message: ToWorker) => {
  if (message.type === "start") opening = start(message);
  else if (server) server.receive(message);
  // A certificate that is renewed while the ports are being opened is as new then.
  else void opening.then(() => server?.receive(message));
});

process.on("disconnect", () => void end());

/** The relay is gone, or stops, or has been told that we can't serve. */
async function end(): Promise<void> {
  stop.abort(new PortholeError("closed", "The relay is gone"));
  await server?.close();
  // The relay's folder for the sockets: one that was killed left it behind.
  if (server && process.platform !== "win32") rmSync(dirname(server.socketPath), { recursive: true, force: true });
  process.exit();
}
