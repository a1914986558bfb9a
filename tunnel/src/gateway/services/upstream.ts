import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import type { Body, ForwardedHead, RawHeaders } from "../../http/index.ts";
import type { AnswerHead, AnswerRest } from "../visitors/visitor.ts";

/** Ends connections to services when their visitor leaves. One error for all: each visitor leaves, and making an error takes microseconds. */
export const visitorLeft = new PortholeError("aborted", "The visitor's connection is over");

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
  /** The protocol to continue with: the reply may be an upgrade. */
  readonly upgrade?: string | undefined;
  /** Informational responses other than 101. */
  readonly onInform: (status: number, statusText: string | undefined, headers: RawHeaders) => void;
  /** Called once, unless `onFailure` is, or the call is aborted. */
  readonly onReply: (reply: Reply) => void;
  readonly onFailure: (failure: CallFailure) => void;
}

/** Why there is no reply. */
export interface CallFailure {
  /** `service-down` where there is no connection, `protocol` for what is not HTTP, `closed` when it ends before it has answered. */
  readonly error: PortholeError;
  /** The connection had been used before, so the service may just have closed it when the request came. */
  readonly wasReused: boolean;
  /** The bytes that the service sent instead of an answer. */
  readonly said?: Buffer | undefined;
}

export interface UpstreamCall {
  /** False when the service is behind: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(callback: () => void): void;
  /** The request is whole. Called also where there is no body. */
  end(trailers: RawHeaders): void;
  /** Ends the call at once; the service sees that the request is incomplete. Nothing is called back any more. */
  abort(): void;
}

export type Reply =
  | {
      readonly kind: "response";
      readonly head: AnswerHead;
      readonly body: Body;
      /** The parts that may follow the head. gRPC reports errors by a head that nothing follows. */
      readonly rest: AnswerRest;
    }
  | { readonly kind: "upgrade"; readonly head: AnswerHead; readonly socket: Duplex };
