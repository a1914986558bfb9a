import { PortholeError } from "@porthole/common/errors";
import { deadline, type Clock } from "@porthole/common/util";
import { valueOf, type Body, type ForwardedHead, type RawHeaders } from "../http/index.ts";
import { createUpstream, type Reply, type Upstream } from "../gateway/index.ts";
import type { Recording } from "./recording.ts";
import type { PreparedReplay } from "./replay-request.ts";

/** Long enough to debug the service with a breakpoint. */
const replayDeadlineMs = 10 * 60_000;

/** Sends the request to the local service over a connection of its own and records the answer. Never rejects: how it ended is in the recording. */
export async function sendReplay(
  { head, body, trailers }: PreparedReplay,
  recording: Recording,
  { clock, signal: parent }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const upstream = createUpstream(head.service, clock);
  const { signal, release } = deadline(clock, replayDeadlineMs, "A replay", parent);
  const onAbort = (): void => upstream.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    recording.forwarded(head);
    if (body.length > 0) recording.requestChunk(body);
    recording.requestEnd(trailers);
    const reply = await send(upstream, head, body, trailers);
    if (reply.kind === "upgrade") {
      reply.socket.destroy();
      throw new PortholeError("protocol", "The local service answered a replay with another protocol");
    }
    recording.responseHead({ ...reply.head, statusText: reply.head.statusText ?? "", by: "service" });
    recording.responseEnd(await record(reply.body, recording));
    recording.end();
  } catch (reason) {
    recording.end(PortholeError.from(signal.aborted ? signal.reason : reason));
  } finally {
    signal.removeEventListener("abort", onAbort);
    release();
    upstream.close();
  }
}

function send(upstream: Upstream, head: ForwardedHead, body: Buffer, trailers: RawHeaders): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const isSized = valueOf(head.headers, "content-length") !== undefined;
    const call = upstream.send(head, {
      body: isSized ? "sized" : "none",
      onInform() {},
      onReply: resolve,
      onFailure: ({ error }) => reject(error),
    });
    if (body.length > 0) call.write(body);
    call.end(trailers);
  });
}

/** Resolves with the trailers. */
function record(body: Body, recording: Recording): Promise<RawHeaders> {
  return new Promise((resolve, reject) => {
    body.carry({
      write(chunk) {
        recording.responseChunk(chunk);
        return true;
      },
      onDrain() {},
      end: resolve,
      fail: reject,
    });
  });
}
