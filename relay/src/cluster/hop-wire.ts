import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { limits as protocolLimits } from "@porthole/common/protocol";

/**
 * How a stream between two relays begins. The relay that has the visitor opens it with 5 bytes: its kind, and the length of what
 * belongs to the opening (PROXY header and ClientHello). The relay that has the client responds with one byte, its verdict, and
 * after `taken` both only carry bytes. What comes by such a stream is never passed on to a third relay.
 */
export type HopKind = "visitor" | "bus";

const kindBytes: Readonly<Record<HopKind, number>> = { visitor: 1, bus: 2 };
const headBytes = 5;
const maxOpeningBytes = protocolLimits.maxProxyHeaderBytes + protocolLimits.maxHelloRecordBytes;

/** Why a relay does not take a visitor, or that it does. */
export type Verdict = "taken" | "unknown-name" | "full" | "limited";

const verdicts: readonly Verdict[] = ["taken", "unknown-name", "full", "limited"];

export function encodeHopHead(kind: HopKind, openingBytes = 0): Buffer {
  const head = Buffer.alloc(headBytes);
  head[0] = kindBytes[kind];
  head.writeUInt32BE(openingBytes, 1);
  return head;
}

export function encodeVerdict(verdict: Verdict): Buffer {
  return Buffer.of(verdicts.indexOf(verdict));
}

/** Takes the verdict off the beginning of a stream; undefined when it is not here yet. A byte that means nothing is an `unknown-name`. */
export function readVerdict(stream: Duplex): Verdict | undefined {
  const byte = stream.read(1) as Buffer | null;
  return byte === null ? undefined : (verdicts[byte[0] ?? -1] ?? "unknown-name");
}

export interface HopOpening {
  readonly kind: HopKind;
  readonly opening: Buffer;
}

/** Takes head and opening off the beginning of a stream. Rejects with `protocol`, `limit`, `closed`, or the signal's reason. */
export async function readOpening(stream: Duplex, signal: AbortSignal): Promise<HopOpening> {
  const head = await readExactly(stream, headBytes, signal);
  const [kind] = Object.entries(kindBytes).find(([, byte]) => byte === head[0]) ?? [];
  if (kind === undefined) throw new PortholeError("protocol", "A relay opened a stream of a kind that does not exist");
  const length = head.readUInt32BE(1);
  if (length > maxOpeningBytes) throw new PortholeError("limit", `A relay announced an opening of ${length} bytes`);
  const opening = length === 0 ? Buffer.alloc(0) : await readExactly(stream, length, signal);
  return { kind: kind as HopKind, opening };
}

function readExactly(stream: Duplex, length: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const bytes = stream.read(length) as Buffer | null;
      if (bytes === null) return;
      release();
      if (bytes.length === length) resolve(bytes);
      // The stream has ended, and this is all that there was.
      else reject(new PortholeError("closed", "A relay ended a stream before its opening was whole"));
    };
    const onEnd = (): void => {
      release();
      reject(new PortholeError("closed", "A relay ended a stream before its opening was whole"));
    };
    const onAbort = (): void => {
      release();
      reject(PortholeError.from(signal.reason));
    };
    const release = (): void => {
      stream.off("readable", look);
      stream.off("end", onEnd);
      stream.off("close", onEnd);
      signal.removeEventListener("abort", onAbort);
    };
    stream.on("readable", look);
    stream.on("end", onEnd);
    stream.on("close", onEnd);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else look();
  });
}
