import type { Duplex } from "node:stream";
import type { PortholeError } from "@porthole/common/errors";
import type { Body, RawHeaders } from "../../http/index.ts";

/** A visitor's connection, decrypted. */
export interface VisitorStream extends Duplex {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  /** Bytes that were written and have not left this process, those of TLS included. */
  readonly unsentBytes?: number;
  /** True when bytes that are written while nothing waits are encrypted, and so copied, before `write` returns. */
  readonly takesAtOnce?: boolean;
}

/** Bytes that a visitor's connection has not taken yet. */
export function unsentOf(stream: VisitorStream): number {
  return stream.unsentBytes ?? stream.writableLength;
}

/** One request as its visitor sent it, in any version of HTTP. */
export interface VisitorRequest {
  readonly httpVersion: "1.0" | "1.1" | "2";
  readonly method: string;
  readonly target: string;
  /** Host included; on HTTP/2 it stands for `:authority`. */
  readonly headers: RawHeaders;
  /** Undefined when the head says that there is none. */
  readonly body: Body | undefined;
  readonly expectsContinue: boolean;
  /** The visitor wants to continue as a WebSocket: the protocol's name as it wrote it. */
  readonly upgrade: string | undefined;
}

export interface AnswerHead {
  readonly status: number;
  /** Undefined where the service's version of HTTP has none. */
  readonly statusText: string | undefined;
  readonly headers: RawHeaders;
}

/** The parts that may follow an answer's head. */
export type AnswerRest = "nothing" | "body" | "body and trailers";

/** The way back to the visitor. Its user sends one answer, or breaks off. */
export interface Answer {
  readonly headSent: boolean;
  /** Calls back once when the visitor leaves before the answer is finished, or breaks the protocol in its request's body (code `protocol`). */
  onTrouble(callback: (error: PortholeError) => void): void;
  /** Sends an informational answer: 100, or another status with its headers. */
  inform(status: number, statusText: string | undefined, headers: RawHeaders): void;
  /** The head waits for `flush`, for the end, or for more than a few bytes of the body, and leaves together with them. */
  start(head: AnswerHead, rest: AnswerRest): void;
  flush(): void;
  /** Takes a head back that has not left yet. False when it has. */
  retract(): boolean;
  /** False when the visitor is behind: wait for `onDrain`. The chunk's memory may be used again after the call. */
  write(chunk: Buffer): boolean;
  onDrain(callback: () => void): void;
  /** Calls back once all of it is on its way. */
  end(trailers: RawHeaders, callback: () => void): void;
  /** 101, or 200 on HTTP/2; from here on the bytes are those of the other protocol. */
  upgrade(head: AnswerHead): Duplex;
  /** The visitor can't take what it got for the whole. */
  breakOff(error: PortholeError): void;
}

/** Serves one request. Never throws; `onOver` is called once, when both directions are over. */
export type ServeRequest = (request: VisitorRequest, answer: Answer, onOver: () => void) => void;
