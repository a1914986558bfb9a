import { PortholeError } from "../../../errors.ts";

/**
 * What a call on a stream failed with. The binding's errors have nothing but a text, the name of quiche's error;
 * this is the one place that reads it.
 */
export function fromStreamFailure(reason: unknown, what: string): PortholeError {
  const name = reason instanceof Error ? reason.message : String(reason);
  const options = { cause: reason };
  if (name.startsWith("StreamStopped") || name.startsWith("StreamReset"))
    return new PortholeError("aborted", `${what}: the other side aborted the stream`, options);
  if (name.startsWith("StreamLimit"))
    return new PortholeError("busy", `${what}: the other side takes no more streams for now`, options);
  if (name.startsWith("InvalidStreamState"))
    return new PortholeError("closed", `${what}: the stream is closed`, options);
  return new PortholeError("internal", `${what}: the QUIC engine failed`, options);
}
