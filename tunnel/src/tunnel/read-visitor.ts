import { PortholeError } from "@porthole/common/errors";
import type { Link, LinkStream } from "@porthole/common/link";
import { decodeProxyHeader, type ProxyHeader } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import { limits } from "./limits.ts";
import { VisitBeginning } from "./visit-beginning.ts";

/** A visitor's stream after its header: it begins with the visitor's ClientHello. */
export interface ArrivedVisitor {
  readonly stream: LinkStream;
  readonly link: Link;
  readonly header: ProxyHeader;
  /** When the stream was opened, on the monotonic clock. */
  readonly startedAt: number;
}

const nothing = Buffer.alloc(0);

/** Reads the PROXY header, which says whom the visitor wants. Rejects with `timeout`, `closed` or `protocol`; the stream is still the caller's. */
export async function readVisitor(
  stream: LinkStream,
  link: Link,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ArrivedVisitor> {
  const startedAt = clock.monotonic();
  const first = take(stream, nothing);
  // Most headers come with the opening of the stream: they need no deadline.
  if (first.header) return { stream, link, header: first.header, startedAt };
  const beginning = new VisitBeginning(clock, signal, (error) => stream.destroy(error));
  beginning.within(limits.streamHeaderDeadlineMs, "The header of a visitor's stream");
  try {
    return { stream, link, header: await readHeader(stream, first.rest), startedAt };
  } catch (reason) {
    throw beginning.failure ?? reason;
  } finally {
    beginning.stop();
  }
}

type Taken = { readonly header: ProxyHeader } | { readonly header: undefined; readonly rest: Buffer };

/** The header, if it is there by now, and puts what follows it back. Throws `protocol`. */
function take(stream: LinkStream, before: Buffer): Taken {
  let rest = before;
  for (let chunk = stream.read() as Buffer | null; chunk; chunk = stream.read() as Buffer | null)
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  const decoded = decodeProxyHeader(rest);
  if (!decoded) return { header: undefined, rest };
  if (decoded.length < rest.length) stream.unshift(rest.subarray(decoded.length));
  return { header: decoded.header };
}

function readHeader(stream: LinkStream, before: Buffer): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    let rest = before;
    function onReadable(): void {
      try {
        const taken = take(stream, rest);
        if (!taken.header) {
          rest = taken.rest;
          return;
        }
        cleanUp();
        resolve(taken.header);
      } catch (reason) {
        cleanUp();
        reject(PortholeError.from(reason));
      }
    }
    function onEnd(): void {
      cleanUp();
      reject(new PortholeError("closed", "A visitor's stream ended before its header"));
    }
    function cleanUp(): void {
      stream.off("readable", onReadable);
      stream.off("end", onEnd);
      stream.off("close", onEnd);
    }
    stream.on("readable", onReadable);
    stream.on("end", onEnd);
    stream.on("close", onEnd);
    onReadable();
  });
}
