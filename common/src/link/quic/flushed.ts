import type { Duplex } from "node:stream";

/** Resolves when the engine has everything that was written, or when the stream is over. */
export function flushed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (!stream.writable || stream.writableLength === 0) resolve();
    else stream.write(Buffer.alloc(0), () => resolve());
  });
}
