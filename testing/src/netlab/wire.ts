import { execFile, spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { soon } from "../end-to-end/until.ts";

const run = promisify(execFile);
const sourcePath = join(import.meta.dirname, "wire.c");
const cache = join(import.meta.dirname, "../../../.cache/netlab");
const compileMs = 120_000;
const answerMs = 60_000;
/** Several wires start at once, and the first of them compiles it for all. */
let program: Promise<string> | undefined;

/** The process that holds the hosts and carries frames between two of them. */
export interface Wire {
  /** Paths that lead into the hosts, for `nsenter --net` and for `ip`. */
  readonly relay: string;
  readonly client: string;
  readonly user: string;
  /** Sends an order, as wire.c lists them, and returns the reply. */
  order(text: string): Promise<string>;
  close(): Promise<void>;
}

export async function startWire(seed: number): Promise<Wire> {
  const child = spawn(await (program ??= compiled()), [String(seed)]);
  const closed = once(child, "close");
  closed.catch(() => {});
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  // An order that meets a dead process fails by the end of its answers.
  child.stdin.on("error", () => {});
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  function next(what: string): Promise<string> {
    const answer = last.then(() => answers.next());
    last = answer.catch(() => {});
    return soon(answer, what, answerMs).then((result) => {
      if (result.done) throw new Error(`The wire ended: ${complaint.trim()}`);
      return result.value;
    });
  }

  const wire = {
    async order(text: string) {
      child.stdin.write(`${text}\n`);
      const answer = await next(`the wire's answer to ${text}`);
      if (answer !== "ok" && !answer.startsWith("{")) throw new Error(`The wire answered ${text} with: ${answer}`);
      return answer;
    },
    async close() {
      end(child);
      await soon(closed, "the end of the wire", answerMs);
    },
  };
  try {
    const [, relay, client, user] = (await next("the wire to be ready")).split(" ");
    const path = (fd: string | undefined): string => `/proc/${child.pid}/fd/${fd}`;
    return { ...wire, relay: path(relay), client: path(client), user: path(user) };
  } catch (reason) {
    await wire.close();
    throw reason;
  }
}

/** Nothing of it outlives the process, so it need not be asked. */
function end(child: ChildProcessWithoutNullStreams): void {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
}

/** Compiles wire.c, once for every version of it, also when several processes come at the same time. */
async function compiled(): Promise<string> {
  const source = await readFile(sourcePath);
  const path = join(cache, `wire-${createHash("sha256").update(source).digest("hex").slice(0, 12)}`);
  if (existsSync(path)) return path;
  await mkdir(cache, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  await run("gcc", ["-O2", "-Wall", "-o", fresh, sourcePath], { timeout: compileMs });
  await rename(fresh, path);
  return path;
}
