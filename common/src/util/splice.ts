import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { PortholeError } from "../errors.ts";

/** How a spliced connection ended; `error` is the side that broke and why, undefined when both directions ended in order. */
export interface SpliceEnd {
  readonly error?: PortholeError;
  readonly brokenSide?: "left" | "right";
}

/**
 * Carries bytes both ways until both directions have ended. An end is passed on as an end (half-close); an error, or a close
 * before the end, destroys the other side, which is a reset where it is a TCP connection. Calls back once.
 */
export function splice(left: Duplex, right: Duplex, onEnd: (end: SpliceEnd) => void): void {
  let open = 2;
  let over = false;

  function finish(end: SpliceEnd): void {
    if (over) return;
    over = true;
    onEnd(end);
  }

  function watch(side: Duplex, other: Duplex, name: "left" | "right"): void {
    let failure: Error | undefined = side.errored ?? undefined;
    side.on("error", (error) => {
      failure ??= error;
    });
    // A side may have gone while the other was being connected.
    if (side.closed) onClose();
    else side.on("close", onClose);

    function onClose(): void {
      if (side.readableEnded && side.writableFinished && !failure) {
        open -= 1;
        if (open === 0) finish({});
        return;
      }
      const error =
        failure instanceof PortholeError
          ? failure
          : new PortholeError("closed", failure?.message ?? "The connection was closed before its end", {
              cause: failure,
            });
      finish({ error, brokenSide: name });
      if (!other.destroyed) breakOff(other, error);
    }
  }

  watch(left, right, "left");
  watch(right, left, "right");
  left.pipe(right);
  right.pipe(left);
}

/** Resets a side. A transfer that broke off must not look complete on the other side. */
function breakOff(side: Duplex, error: PortholeError): void {
  // A socket on its way out can't be reset: libuv refuses, and then Node never closes it.
  const isEnding = !side.writable && side.writableLength === 0;
  if (side instanceof Socket && !(side instanceof TLSSocket) && !isEnding) side.resetAndDestroy();
  // Also after it: the reset alone would wait for a peer that does not read.
  side.destroy(error);
}
