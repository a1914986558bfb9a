import type { Duplex, Readable } from "node:stream";
import type { Clock } from "@porthole/common/util";
import type { AnswerRest } from "../visitors/visitor.ts";
import type { ForwardedHead, RawHeaders, ServiceTarget } from "../../http/index.ts";
import { createHttp1Upstream } from "./http1-upstream.ts";
import { createHttp2Upstream } from "./http2-upstream.ts";

/** Connections to one local service on behalf of one visitor's connection; they are never shared with another visitor. */
export interface Upstream {
  /**
   * Undefined when a request may be sent now. Otherwise resolves when one has been answered, or after a while: a hundred at once, each on a
   * connection of its own, take longer than the same hundred in turn, but nobody may wait for a long poll.
   */
  turn(): Promise<void> | undefined;
  send(head: ForwardedHead, init: SendInit): UpstreamCall;
  /** Ends its connections; what runs is broken off. */
  close(): void;
}

export interface SendInit {
  readonly body: "none" | "sized" | "chunked";
  /** The protocol to go on with: the reply may be an upgrade. */
  readonly upgrade?: string | undefined;
  /** Informational answers other than 101. */
  readonly onInform: (status: number, headers: RawHeaders) => void;
}

export interface UpstreamCall {
  /** False when the service is behind: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(callback: () => void): void;
  /** The request is whole. Called also where there is no body. */
  end(trailers: RawHeaders): void;
  /** Rejects with `service-down` where there is no connection, `protocol` for what is not HTTP, `closed` when it ends before it has answered. */
  readonly reply: Promise<Reply>;
  /** The connection had been used before, so the service may just have closed it when the request came. */
  readonly isReused: boolean;
  /** At once; the service sees that the request is not whole. */
  abort(): void;
}

export interface ReplyHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
}

export type Reply =
  | {
      readonly kind: "response";
      readonly head: ReplyHead;
      readonly body: Readable;
      /** Asked at its end: whether it had come so far in order. */
      isWhole(): boolean;
      /** What may follow the head. gRPC tells errors by a head that nothing follows. */
      readonly rest: AnswerRest;
      /** Once the body has ended. */
      trailers(): RawHeaders;
    }
  | { readonly kind: "upgrade"; readonly head: ReplyHead; readonly socket: Duplex };

/** Whoever makes it closes it. */
export function createUpstream(service: ServiceTarget, clock: Clock): Upstream {
  return service.kind === "h2c" ? createHttp2Upstream(service, clock) : createHttp1Upstream(service, clock);
}
