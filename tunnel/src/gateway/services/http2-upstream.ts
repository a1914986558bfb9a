import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { PortholeError } from "@porthole/common/errors";
import { connectService } from "./local-service.ts";
import { fromHttp2, giveHttp2, type ForwardedHead, type RawHeaders, type ServiceTarget } from "../../http/index.ts";
import type { Clock } from "@porthole/common/util";
import type { Reply, SendInit, Upstream, UpstreamCall } from "./upstream.ts";
import { limits } from "../limits.ts";

/** A service that speaks HTTP/2 without TLS: one connection for each visitor's. */
export function createHttp2Upstream(service: ServiceTarget, clock: Clock): Upstream {
  const stop = new AbortController();
  let session: Promise<ClientHttp2Session> | undefined;

  async function connect(): Promise<ClientHttp2Session> {
    const socket = await connectService(service, { clock, signal: stop.signal, preface: service.preface });
    const opened = http2.connect("http://service", {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: limits.streamWindowBytes },
    });
    opened.setLocalWindowSize(limits.serviceWindowBytes);
    opened.on("error", () => {});
    opened.on("close", () => (session = undefined));
    opened.on("goaway", () => (session = undefined));
    return opened;
  }

  return {
    turn: () => undefined,
    send(head, init) {
      session ??= connect();
      session.catch(() => (session = undefined));
      return new Http2Call(session, head, init);
    },
    close() {
      stop.abort(new PortholeError("aborted", "The visitor's connection is over"));
      session?.then(
        (opened) => opened.destroy(),
        () => {},
      );
    },
  };
}

class Http2Call implements UpstreamCall {
  readonly isReused = false;
  readonly reply: Promise<Reply>;
  /** Undefined until the connection is there. */
  #stream: ClientHttp2Stream | undefined;
  #held: Buffer[] = [];
  #ending = false;
  #isAborted = false;
  #trailers: RawHeaders = [];
  #onDrain: () => void = () => {};

  constructor(session: Promise<ClientHttp2Session>, head: ForwardedHead, init: SendInit) {
    this.reply = session.then((opened) => this.#awaitReply(opened, head, init));
    this.reply.catch(() => {});
  }

  write(chunk: Buffer): boolean {
    if (this.#stream) return this.#stream.destroyed || this.#stream.write(chunk);
    this.#held.push(chunk);
    return false;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  end(trailers: RawHeaders): void {
    this.#trailers = trailers;
    this.#ending = true;
    this.#stream?.end();
  }

  abort(): void {
    this.#isAborted = true;
    this.#stream?.close(http2.constants.NGHTTP2_CANCEL);
  }

  #awaitReply(session: ClientHttp2Session, head: ForwardedHead, { body, onInform }: SendInit): Promise<Reply> {
    if (this.#isAborted) throw new PortholeError("aborted", "The request was given up");
    const stream = giveHttp2(head.headers, ({ host, ...fields }) =>
      session.request(
        {
          ...fields,
          ":method": head.method,
          ":path": head.target,
          ":scheme": "http",
          ...(typeof host === "string" ? { ":authority": host } : {}),
        },
        { endStream: body === "none", waitForTrailers: body !== "none" },
      ),
    );
    this.#stream = stream;
    stream.on("wantTrailers", () => giveHttp2(this.#trailers, (fields) => stream.sendTrailers(fields)));
    stream.on("drain", () => this.#onDrain());
    for (const chunk of this.#held.splice(0)) stream.write(chunk);
    if (this.#ending) stream.end();
    else if (!stream.writableNeedDrain) this.#onDrain();
    return replyOf(stream, onInform);
  }
}

function replyOf(stream: ClientHttp2Stream, onInform: SendInit["onInform"]): Promise<Reply> {
  let trailers: RawHeaders = [];
  stream.on("trailers", (fields: IncomingHttpHeaders) => {
    trailers = fromHttp2(fields);
  });
  stream.on("headers", (fields: IncomingHttpHeaders & { readonly ":status"?: number }) =>
    onInform(fields[":status"] ?? 0, fromHttp2(fields)),
  );
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    stream.on("error", (error) => (failure = error));
    stream.on("response", (fields, flags) =>
      resolve({
        kind: "response",
        head: { status: fields[":status"] ?? 0, statusText: "", headers: fromHttp2(fields) },
        body: stream,
        isWhole: () => !stream.destroyed,
        rest: flags & http2.constants.NGHTTP2_FLAG_END_STREAM ? "nothing" : "body and trailers",
        trailers: () => trailers,
      }),
    );
    stream.on("close", () => {
      const message = `The local service ended the request before it had answered${failure ? `: ${failure.message}` : ""}`;
      reject(new PortholeError("closed", message, { cause: failure }));
    });
  });
}
