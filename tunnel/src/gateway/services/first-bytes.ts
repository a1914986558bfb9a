import { METHODS } from "node:http";
import type { Duplex } from "node:stream";
import { limits } from "../limits.ts";
import type { Clock } from "@porthole/common/util";

export type Spoken = "http1" | "http2" | "raw";

const preface = "PRI * HTTP/2.0\r\n";
const methods = METHODS.filter((method) => method !== "CONNECT");
/** The longest method, a space, and the beginning of a target. */
const enough = 32;

/** Returns the protocol of a connection by its first bytes. Undefined when more has to come. Redis has a GET, too, but no path. */
export function spokenBy(bytes: Buffer): Spoken | undefined {
  const text = bytes.toString("latin1", 0, enough);
  if (text.startsWith(preface)) return "http2";
  const isBeginning = [preface, ...methods.flatMap((method) => [`${method} /`, `${method} *`, `${method} http`])].some(
    (start) => start.startsWith(text),
  );
  const match = /^([A-Z-]+) (\/|\*|https?:\/\/)/.exec(text);
  if (match && methods.includes(match[1] ?? "")) return "http1";
  return isBeginning || (/^[A-Z-]+ https?:?\/?$/.test(text) && methods.includes(text.split(" ")[0] ?? ""))
    ? undefined
    : "raw";
}

export interface FirstBytes {
  readonly spoken: Spoken;
  /** A connection to the service that was opened on the way; the caller's to use or to end. */
  readonly service: Duplex | undefined;
  /** All that the visitor has said, where that can't be put back because it was the last. */
  readonly rest: Buffer | undefined;
}

/**
 * Waits for who speaks first. A visitor who says nothing may wait for the service to greet (SMTP, MySQL), so after a moment the
 * service is connected: if it speaks first, this is no HTTP. Nothing is lost of what either side says. Never rejects.
 */
export function awaitFirstBytes(
  visitor: Duplex,
  options: { readonly clock: Clock; readonly connect: () => Promise<Duplex> },
): Promise<FirstBytes> {
  const { clock, connect } = options;
  return new Promise((resolve) => {
    let service: Duplex | undefined;
    let isOver = false;
    /** Put back only at the end: what is put back is news, and would be looked at without an end. */
    let heard: Buffer = Buffer.alloc(0);
    const silence = clock.timer(limits.silentVisitorMs, () => void askService());
    const deadline = clock.timer(limits.httpHeadDeadlineMs, () => done("raw"));

    function done(spoken: Spoken): void {
      if (isOver) return;
      isOver = true;
      const hasEnded = visitor.readableEnded || visitor.destroyed;
      if (heard.length > 0 && !hasEnded) visitor.unshift(heard);
      silence.cancel();
      deadline.cancel();
      visitor.off("readable", look).off("end", onEnd).off("close", onEnd);
      service?.off("readable", onEnd).off("end", onEnd).off("close", onEnd);
      resolve({ spoken, service, rest: hasEnded ? heard : undefined });
    }
    function onEnd(): void {
      done("raw");
    }
    function look(): void {
      const bytes = visitor.read() as Buffer | null;
      if (!bytes) return;
      heard = Buffer.concat([heard, bytes]);
      const spoken = spokenBy(heard);
      if (spoken) done(spoken);
    }
    async function askService(): Promise<void> {
      const opened = await connect().catch(() => undefined);
      if (!opened) return;
      if (isOver) return void opened.destroy();
      service = opened;
      opened.on("readable", onEnd).on("end", onEnd).on("close", onEnd);
    }
    visitor.on("readable", look).on("end", onEnd).on("close", onEnd);
    // Its end may have come together with the handshake; it is not told again.
    if (visitor.readableEnded || visitor.closed) onEnd();
  });
}
