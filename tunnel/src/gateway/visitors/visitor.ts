import type { Duplex, Readable } from "node:stream";
import type { PortholeError } from "@porthole/common/errors";
import type { RawHeaders } from "../../http/index.ts";

/** One request as its visitor sent it, whatever the version of HTTP. */
export interface VisitorRequest {
  readonly httpVersion: "1.0" | "1.1" | "2";
  readonly method: string;
  readonly target: string;
  /** Host included; on HTTP/2 it stands for `:authority`. */
  readonly headers: RawHeaders;
  /** Undefined when the head says that there is none. */
  readonly body: Readable | undefined;
  /** Asked at its end: whether it had come so far in order. */
  isWhole(): boolean;
  /** Once the body has ended. */
  trailers(): RawHeaders;
  readonly expectsContinue: boolean;
  /** The protocol that the visitor wants to go on with, in lower case: `websocket`. */
  readonly upgrade: string | undefined;
}

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: RawHeaders;
}

/** What may come after an answer's head. */
export type AnswerRest = "nothing" | "body" | "body and trailers";

/** The way back. Whoever got it sends one answer, or breaks off. */
export interface Answer {
  readonly headSent: boolean;
  /** Calls back once when the visitor goes before the answer is finished, or breaks the protocol in its request's body (code `protocol`). */
  onTrouble(callback: (error: PortholeError) => void): void;
  /** 100, or another informational status with its headers. */
  inform(status: number, headers: RawHeaders): void;
  /** The head leaves by itself soon, also when no body follows yet. */
  start(head: AnswerHead, rest: AnswerRest): void;
  /** False when the visitor is behind: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  onDrain(callback: () => void): void;
  /** Calls back once all of it is on its way, or the visitor has gone. */
  end(trailers: RawHeaders, callback: () => void): void;
  /** 101, or what stands for it on HTTP/2; from here on the bytes are those of the other protocol. */
  upgrade(head: AnswerHead): Duplex;
  /** The visitor can't take what it got for the whole. */
  breakOff(error: PortholeError): void;
}

/** Answers one request. Resolves when both directions are over; never rejects. */
export type ServeRequest = (request: VisitorRequest, answer: Answer) => Promise<void>;
