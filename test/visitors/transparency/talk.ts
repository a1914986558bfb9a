import type { Duplex } from "node:stream";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import http2, { type ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { soon } from "@porthole/testing/end-to-end";
import type { Step, TalkCase } from "./cases/talk-case.ts";
import { readAnswer } from "./http1.ts";
import { Side } from "./side.ts";

/** A visitor's end of a conversation. */
export interface TalkVisitor {
  readonly side: Side;
  /** Sends a part of a body; or raw bytes. */
  send(text: string): void;
  finishBody(): void;
  has(how: "whole" | "cut"): Promise<void>;
}

export interface TalkOptions {
  readonly talk: TalkCase;
  readonly visitor: TalkVisitor;
  readonly service: Side;
  /** Replaces TALK and NAME in what is sent and seen. */
  readonly named: (text: string) => string;
  readonly silenceMs: number;
}

/** Undefined when everything came as the case says; otherwise the first step that did not, and why. */
export async function runTalk({ talk, visitor, service, named, silenceMs }: TalkOptions): Promise<string | undefined> {
  for (const [index, step] of talk.steps.entries()) {
    try {
      await take(step);
    } catch (reason) {
      return `step ${index + 1}, ${step.join(" ")}: ${(reason as Error).message}`;
    }
  }
  return undefined;

  async function take([who, verb, text = ""]: Step): Promise<void> {
    if (who === "both") return pause(silenceMs);
    const side = who === "visitor" ? visitor.side : service;
    switch (verb) {
      case "sends":
        return who === "visitor" ? visitor.send(named(text)) : side.send(text);
      case "sends slowly":
        for (const byte of named(text)) {
          side.send(byte);
          await nextTurn();
        }
        return;
      case "sees":
        return side.sees(named(text));
      case "ends":
        return side.end();
      case "leaves":
        return side.leave();
      case "sees the end":
        return side.until("sees the end", () => side.ended !== "open");
      case "finishes the body":
        return visitor.finishBody();
      case "has it whole":
        return visitor.has("whole");
      case "has it cut":
        return visitor.has("cut");
    }
  }
}

/** `head` is sent at once where the case has a request. */
export function http1TalkVisitor(socket: Socket, { request }: TalkCase, head: string): TalkVisitor {
  const side = new Side("the visitor").attach(socket);
  const inChunks = request?.body === "chunked";
  if (request) side.send(head);
  return {
    side,
    send: (text) => side.send(inChunks ? `${text.length.toString(16)}\r\n${text}\r\n` : text),
    finishBody: () => inChunks && side.send("0\r\n\r\n"),
    has: (how) =>
      side.until(
        `has the answer ${how}`,
        () => readAnswer(side.text, request?.method ?? "GET", side.ended)?.end === how,
      ),
  };
}

/** The stream's answer is written down as one of HTTP/1.1, whose body ends with the connection. */
export async function http2TalkVisitor(
  session: ClientHttp2Session,
  { request }: TalkCase,
  path: string,
  authority: string,
): Promise<TalkVisitor> {
  const { method = "GET", fields = [], body } = request ?? {};
  const length = typeof body === "number" ? ["content-length", String(body)] : [];
  const stream = session.request(
    [
      ":method",
      method,
      ":path",
      path,
      ":scheme",
      "https",
      ":authority",
      authority,
      ...fields.flat(),
      ...length,
    ] as never,
    { endStream: body === undefined },
  );
  await soon(Promise.resolve(), "a stream");
  const side = new Side("the visitor").attach(asSocket(stream, () => session.destroy()));
  const write = (status: number | undefined): void => void stream.emit("data", Buffer.from(`HTTP/2 ${status}\r\n\r\n`));
  stream.on("headers", (headers) => write(headers[":status"]));
  stream.on("response", (headers) => write(headers[":status"]));
  return {
    side,
    send: (text) => side.send(text),
    finishBody: () => stream.end(),
    has: (how) =>
      side.until(`has the answer ${how}`, () => {
        const isWhole = stream.rstCode === http2.constants.NGHTTP2_NO_ERROR;
        return side.ended !== "open" && stream.closed && isWhole === (how === "whole");
      }),
  };
}

function asSocket(stream: Duplex, leave: () => void): Socket {
  return Object.assign(stream, { resetAndDestroy: leave }) as unknown as Socket;
}
