import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { openSslReason } from "@porthole/common/util";

/** Returns the first bytes that arrive, as Latin-1. Empty when the other side ends the connection without any. */
export function firstBytes(socket: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1")));
    socket.once("end", () => resolve(""));
    socket.once("error", (cause: NodeJS.ErrnoException) => {
      // It has taken the request and hung up.
      if (cause.code === "ECONNRESET") resolve("");
      else reject(new PortholeError("closed", `The connection broke off${openSslReason(cause)}`, { cause }));
    });
  });
}
