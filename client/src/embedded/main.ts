import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { longestTimerMs, orAbort, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { createDialers } from "@porthole/tunnel/dialers";
import { openCommandSocket, openRuntime } from "@porthole/tunnel/rpc/daemon";

/**
 * The program of a Node that lives inside an app (docs/mobile.md): a client without tunnels of its own. The app attaches to it by the
 * socket in the state folder, the first argument, and starts them. It ends at `shutdown`; the process, its signals and its output are
 * the app's, so it touches none of them.
 */
const [folder] = process.argv.slice(2);

try {
  if (folder === undefined)
    throw new PortholeError("usage", "The first argument has to be the folder in which state is kept");
  await serve(resolve(folder));
} catch (reason) {
  const { code, message } = PortholeError.from(reason);
  process.stderr.write(`porthole: ${message} (${code})\n`);
  process.exitCode = 1;
}

async function serve(stateDir: string): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const owner = { path: join(stateDir, "primary-key.pem") };
  const software = `porthole/${version} (embedded)`;
  const clock = systemClock;
  const runtime = await openRuntime({ stateDir, clock, dialers: createDialers(), owner, software });
  // Timers of the clock and sockets without a visitor keep no process alive.
  const alive = setInterval(() => {}, longestTimerMs);
  try {
    const inUseHint = "Attach to the one that runs.";
    const socket = await openCommandSocket(runtime, { stateDir, clock, inUseHint });
    process.stdout.write("porthole: ready\n");
    const never = new Promise<void>(() => {});
    await orAbort(runtime.shutDown, never).catch(() => {});
    await socket.close();
  } finally {
    await runtime.close();
    clearInterval(alive);
  }
}
