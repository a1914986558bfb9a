import { Writable } from "node:stream";
import type { RpcStreams } from "../server.ts";

/**
 * This process's standard streams for the protocol alone. What anything in this process prints from now on, a stray
 * console.log of a library, goes to standard error instead.
 */
export function takeStdio(): RpcStreams {
  const { stdin, stdout, stderr } = process;
  const write = stdout.write.bind(stdout) as (chunk: Buffer, done: (error?: Error | null) => void) => boolean;
  const output = new Writable({
    highWaterMark: 64 * 1024,
    write: (chunk: Buffer, _encoding, done) => void write(chunk, done),
  });
  stdout.on("error", (error) => output.destroy(error));
  output.on("error", () => {});
  stdout.write = stderr.write.bind(stderr);
  return { input: stdin, output };
}
