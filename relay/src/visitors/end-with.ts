import type { Duplex } from "node:stream";
import type { Clock } from "@porthole/common/util";

const closeAfterMs = 1_000;

/** Says a last word and makes sure that the connection ends, whatever the other side does. Until then what it sends is thrown away. */
export function endWith(socket: Duplex, bytes: Buffer | string, clock: Clock): void {
  const timer = clock.timer(closeAfterMs, () => socket.destroy());
  socket.on("close", () => timer.cancel());
  socket.resume();
  socket.end(bytes);
}
