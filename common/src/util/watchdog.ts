import { Worker } from "node:worker_threads";
import { nativeCalls } from "./native-calls.ts";

export interface WatchdogOptions {
  /** Processor time that the main thread may use without a turn of its event loop. Defaults to 30 seconds. */
  readonly hangMs?: number;
  /** The same within one native call, which takes a millisecond when all is well. Defaults to 2 seconds. */
  readonly nativeHangMs?: number;
  /** How often it has to show that it turns. Defaults to half a second. */
  readonly beatMs?: number;
  /** The program that takes this one's place, with its terminal or files. Without it the supervisor of the process starts the next one. */
  readonly successor?: Successor;
}

export interface Successor {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Only a process that has lived this long has one: otherwise two would take turns without an end. */
  readonly afterMs: number;
  /** Printed before this process ends. */
  readonly words: string;
}

/** What becomes of a hang in native code. */
export interface HangRecord {
  /** The file that gets `{ hangs, at }`. The folder exists. */
  readonly path: string;
  /** How many there have been. */
  readonly hangs: number;
}

let records: HangRecord | undefined;
let tell: ((record: HangRecord) => void) | undefined;

/** Where the watchdog of this process writes down that native code hung. */
export function recordHangs(record: HangRecord): void {
  records = record;
  tell?.(record);
}

/**
 * Ends this process with SIGKILL when its main thread hangs in a loop: native code (quiche 0.18, CVE-2025-7054) can't be interrupted in
 * another way, and the supervisor of the process, or its successor, continues. Only intervals in which the process used a processor
 * count: one that is stopped, or starved, or waits in a debugger, is left alone. Never keeps the process running. Call the result to end it.
 */
export function startWatchdog({
  hangMs = 30_000,
  nativeHangMs = 2_000,
  beatMs = 500,
  successor,
}: WatchdogOptions = {}): () => void {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const timer = setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
  const workerData = { beats, nativeCalls, hangMs, nativeHangMs, beatMs, successor, records };
  const worker = new Worker(watch, { eval: true, execArgv: [], workerData });
  worker.unref();
  // Without a second thread there is no watchdog, and the program works all the same.
  worker.on("error", () => {});
  const post = (record: HangRecord): void => worker.postMessage(record);
  tell = post;
  return () => {
    clearInterval(timer);
    if (tell === post) tell = undefined;
    void worker.terminate();
  };
}

/** The second thread. A text, so that no bundle has to bring another file. */
const watch = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { spawn } = require("node:child_process");
  const { renameSync, writeFileSync, writeSync } = require("node:fs");
  const { beats, nativeCalls, hangMs, nativeHangMs, beatMs, successor } = workerData;
  let { records } = workerData;
  parentPort.on("message", (record) => (records = record));
  parentPort.unref();
  let last = -1;
  let lastCall = 0;
  let hungMs = 0;
  let hungInCallMs = 0;
  let used = process.cpuUsage();
  const attempt = (work) => {
    try {
      work();
    } catch {}
  };
  setInterval(() => {
    const beat = Atomics.load(beats, 0);
    const call = Atomics.load(nativeCalls, 0);
    const { user, system } = process.cpuUsage(used);
    used = process.cpuUsage();
    const usedMs = Math.min(beatMs, (user + system) / 1_000);
    hungMs = beat === last ? hungMs + usedMs : 0;
    hungInCallMs = beat === last && call === lastCall && call % 2 !== 0 ? hungInCallMs + usedMs : 0;
    last = beat;
    lastCall = call;
    const isInCall = hungInCallMs >= nativeHangMs;
    if (!isInCall && hungMs < hangMs) return;
    const what = isInCall ? "QUIC's engine" : "The program";
    attempt(() => writeSync(2, what + " hung for " + (isInCall ? nativeHangMs : hangMs) / 1_000 + " s of processor time, and the process was ended.\\n"));
    if (isInCall && records)
      attempt(() => {
        const temporary = records.path + "." + process.pid;
        writeFileSync(temporary, JSON.stringify({ hangs: records.hangs + 1, at: Date.now() }) + "\\n", { mode: 0o600 });
        renameSync(temporary, records.path);
      });
    if (successor && process.uptime() * 1_000 >= successor.afterMs)
      attempt(() => {
        spawn(successor.command, successor.args, { stdio: "inherit", env: { ...process.env, ...successor.env } });
        writeSync(2, successor.words);
      });
    process.kill(process.pid, "SIGKILL");
  }, beatMs);
`;
