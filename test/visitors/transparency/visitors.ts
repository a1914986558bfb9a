import http2, { type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import net, { type Socket } from "node:net";
import tls from "node:tls";
import { connectVisitor, soon, type Scope, type Site } from "@porthole/testing/end-to-end";
import { connectHttp2 } from "../visits.ts";
import { pairs, valuesOf } from "./http2-service.ts";
import { readAnswer, type Ended } from "./http1.ts";
import type { Field, Inform, SeenAnswer } from "./messages.ts";

export interface Http1Visit {
  /** In latin1. */
  readonly bytes: string;
  readonly method: string;
}

/** Sends bytes on a connection of its own and reads one answer from it. */
export async function visitHttp1(socket: Socket, { bytes, method }: Http1Visit): Promise<SeenAnswer> {
  let text = "";
  let ended: Ended = "open";
  const seen = new Promise<SeenAnswer>((resolve) => {
    const look = (): void => {
      const answer = readAnswer(text, method, ended);
      if (answer) resolve(answer);
    };
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      look();
    });
    const over = (how: Ended) => (): void => {
      if (ended === "open") ended = how;
      look();
    };
    socket.on("end", over("end")).on("error", over("reset")).on("close", over("reset"));
  });
  socket.write(bytes, "latin1");
  try {
    return await soon(
      seen,
      () => `an answer to ${JSON.stringify(bytes.slice(0, 200))}; so far: ${text.slice(0, 500)}`,
      20_000,
    );
  } finally {
    socket.destroy();
  }
}

/** A connection to a service on this machine. */
export async function dialDirectly(port: number): Promise<Socket> {
  const socket = net.connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  socket.on("error", () => {});
  await soon(new Promise((resolve) => socket.once("connect", resolve)), "a connection to the service");
  return socket;
}

/** The same with TLS. */
export async function dialTls(port: number): Promise<Socket> {
  const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.on("error", () => {});
  await soon(new Promise((resolve) => socket.once("secureConnect", resolve)), "a TLS connection to the service");
  return socket;
}

export async function dialHttp1(scope: Scope, site: Site, alpn: readonly string[] = ["http/1.1"]): Promise<Socket> {
  const socket = await connectVisitor(scope, site, alpn.length === 0 ? {} : { alpn });
  socket.on("error", () => {});
  return socket;
}

/** One request over HTTP/2. */
export interface Http2Visit {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** Undefined where the request ends with its head. */
  readonly body?: string | undefined;
  readonly trailers?: readonly Field[] | undefined;
}

/** A visitor with one HTTP/2 connection, which it replaces when it has ended. */
export class Http2Visitor {
  readonly #connect: () => Promise<ClientHttp2Session>;
  readonly #authority: string;
  #session: ClientHttp2Session | undefined;

  constructor(authority: string, connect: () => Promise<ClientHttp2Session>) {
    this.#authority = authority;
    this.#connect = connect;
  }

  async visit({ method, target, fields, body, trailers }: Http2Visit): Promise<SeenAnswer> {
    if (!this.#session || this.#session.closed || this.#session.destroyed) this.#session = await this.#connect();
    const head = [
      ":method",
      method,
      ":path",
      target,
      ":scheme",
      "https",
      ":authority",
      this.#authority,
      ...fields.flat(),
    ];
    const stream = this.#session.request(head as never, {
      endStream: body === undefined,
      waitForTrailers: trailers !== undefined,
    });
    stream.on("wantTrailers", () => stream.sendTrailers(valuesOf(trailers ?? [])));
    const seen = readStream(stream);
    if (body !== undefined) stream.end(body, "latin1");
    try {
      return await soon(seen, `an answer to ${method} ${target} over HTTP/2`, 20_000);
    } finally {
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
  }
}

export function http2Visitor(scope: Scope, site: Site): Http2Visitor {
  const options = { maxHeaderListPairs: 5_000, maxSendHeaderBlockLength: 4_000_000, strictSingleValueFields: false };
  return new Http2Visitor(`${site.hostname}:${site.port}`, () => connectHttp2(scope, site, options));
}

function readStream(stream: ClientHttp2Stream): Promise<SeenAnswer> {
  const informs: Inform[] = [];
  let status = 0;
  let fields: Field[] = [];
  let trailers: Field[] = [];
  let body = "";
  let isEnded = false;
  stream.on("headers", (headers, _flags, ...rest: unknown[]) => {
    informs.push({ status: headers[":status"] ?? 0, fields: fieldsOf(rest[0] as string[]) });
  });
  stream.on("response", (headers, _flags, ...rest: unknown[]) => {
    status = headers[":status"] ?? 0;
    fields = fieldsOf(rest[0] as string[]);
  });
  stream.on("trailers", (_headers, _flags, ...rest: unknown[]) => {
    trailers = fieldsOf(rest[0] as string[]);
  });
  stream.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
  stream.on("end", () => (isEnded = true)).on("error", () => {});
  return new Promise((resolve) => {
    stream.on("close", () => {
      const isWhole = isEnded && status !== 0 && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR;
      resolve({ informs, status, reason: "", fields, body, trailers, end: isWhole ? "whole" : "cut" });
    });
  });
}

function fieldsOf(raw: readonly string[]): Field[] {
  return pairs(raw).filter(([name]) => !name.startsWith(":"));
}
