import { Worker } from "node:worker_threads";

export interface WatchdogOptions {
  /** Processor time that the main thread may use without a turn of its event loop. Defaults to 30 seconds. */
  readonly hangMs?: number;
  /** How often it has to show that it turns. Defaults to 1 second. */
  readonly beatMs?: number;
}

/**
 * Ends this process with SIGKILL when its main thread hangs in a loop: native code (quiche 0.18, CVE-2025-7054) can't be interrupted in
 * another way, and the supervisor of the process starts it again. Only intervals in which the process used a processor count: one
 * that is stopped, or starved, or waits in a debugger, is left alone. Never keeps the process running. Call the result to end it.
 */
export function startWatchdog({ hangMs = 30_000, beatMs = 1_000 }: WatchdogOptions = {}): () => void {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timer = setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
  const words = `The program hung for ${hangMs / 1_000} s of processor time and was ended.\n`;
  const worker = new Worker(watch, { eval: true, execArgv: [], workerData: { beats, hangMs, beatMs, words } });
  worker.unref();
  // Without a second thread there is no watchdog, and the program works all the same.
  worker.on("error", () => {});
  return () => {
    clearInterval(timer);
    void worker.terminate();
  };
}

/** The second thread. A text, so that no bundle has to bring another file. */
const watch = `
  const { workerData } = require("node:worker_threads");
  const { writeSync } = require("node:fs");
  const { beats, hangMs, beatMs, words } = workerData;
  let last = -1;
  let hungMs = 0;
  let used = process.cpuUsage();
  setInterval(() => {
    const beat = Atomics.load(beats, 0);
    const { user, system } = process.cpuUsage(used);
    used = process.cpuUsage();
    if (beat !== last) hungMs = 0;
    else hungMs += Math.min(beatMs, (user + system) / 1_000);
    last = beat;
    if (hungMs < hangMs) return;
    try {
      writeSync(2, words);
    } finally {
      process.kill(process.pid, "SIGKILL");
    }
  }, beatMs);
`;
