import { createHash } from "node:crypto";
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type Settings,
} from "node:http2";
import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import { Body, fromHttp2, toHttp2, valueOf, type ForwardedHead } from "../../http/index.ts";
import { limits } from "../limits.ts";
import type { SendInit, UpstreamCall } from "./upstream.ts";

/** RFC 6455 section 1.3. */
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export interface WebSocketCallOptions {
  readonly session: Promise<ClientHttp2Session>;
  /** Returns the service's SETTINGS, its first frame. */
  readonly settings: () => Promise<Settings>;
  readonly clock: Clock;
  /** Sends the same on a connection of HTTP/1.1. */
  readonly overHttp1: (init: SendInit) => UpstreamCall;
}

/**
 * A WebSocket to a service that speaks HTTP/2: by an extended CONNECT (RFC 8441) where the service offers that, and otherwise on a connection
 * of HTTP/1.1. Fails with `unavailable` where the service takes neither.
 */
export class WebSocketCall implements UpstreamCall {
  readonly #head: ForwardedHead;
  readonly #init: SendInit;
  readonly #options: WebSocketCallOptions;
  #stream: ClientHttp2Stream | undefined;
  #http1: UpstreamCall | undefined;
  #isOver = false;

  constructor(head: ForwardedHead, init: SendInit, options: WebSocketCallOptions) {
    this.#head = head;
    this.#init = init;
    this.#options = options;
    this.#start().catch((reason: unknown) => this.#fail(PortholeError.from(reason)));
  }

  /** A request for an upgrade has no body. */
  write(): boolean {
    return true;
  }

  onDrain(): void {}

  end(): void {}

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#http1?.abort();
    this.#stream?.close(http2.constants.NGHTTP2_CANCEL);
  }

  async #start(): Promise<void> {
    const { session: connecting, settings, clock } = this.#options;
    const session = await connecting;
    const { enableConnectProtocol } = await atMost(clock, limits.http2ProbeMs, settings());
    if (this.#isOver) return;
    if (enableConnectProtocol) this.#connect(session);
    else this.#sendOverHttp1();
  }

  #sendOverHttp1(): void {
    this.#http1 = this.#options.overHttp1({
      ...this.#init,
      onFailure: ({ error }) =>
        this.#fail(
          new PortholeError("unavailable", "The local service takes no WebSockets over HTTP/2, and no HTTP/1.1", {
            cause: error,
          }),
        ),
    });
    this.#http1.end([]);
  }

  #connect(session: ClientHttp2Session): void {
    const { target, headers, service } = this.#head;
    const { host, "sec-websocket-key": _key, ...fields } = toHttp2(headers);
    const stream = session.request(
      {
        ...fields,
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": target,
        ":scheme": service.kind === "h2" ? "https" : "http",
        ...(typeof host === "string" ? { ":authority": host } : {}),
      },
      { endStream: false },
    );
    this.#stream = stream;
    let failure: Error | undefined;
    stream.on("error", (error) => (failure = error));
    stream.on(
      "response",
      (answer: IncomingHttpHeaders & { readonly ":status"?: number }, _flags: number, raw: string[]) =>
        this.#onResponse(stream, answer[":status"] ?? 0, raw),
    );
    stream.on("close", () =>
      this.#fail(new PortholeError("closed", "The local service ended the request early", { cause: failure })),
    );
  }

  #onResponse(stream: ClientHttp2Stream, status: number, raw: readonly string[]): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const headers = fromHttp2(raw);
    if (status >= 200 && status < 300) {
      const accept = createHash("sha1")
        .update(`${valueOf(this.#head.headers, "sec-websocket-key") ?? ""}${acceptGuid}`)
        .digest("base64");
      const head = { status: 101, statusText: undefined, headers: [...headers, "Sec-WebSocket-Accept", accept] };
      return this.#init.onReply({ kind: "upgrade", head, socket: stream });
    }
    const body = new Body(stream);
    stream.on("data", (chunk: Buffer) => body.push(chunk));
    stream.on("end", () => {
      if (!stream.destroyed && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR) body.finish([]);
    });
    stream.on("close", () => {
      if (!body.isWhole) body.breakOff(new PortholeError("closed", "The local service ended its answer early"));
    });
    stream.end();
    this.#init.onReply({ kind: "response", head: { status, statusText: undefined, headers }, body, rest: "body" });
  }

  #fail(error: PortholeError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#init.onFailure({ error, wasReused: false });
  }
}

/** A service that says nothing has said nothing of WebSockets. */
function atMost(clock: Clock, delayMs: number, settings: Promise<Settings>): Promise<Settings> {
  return new Promise((resolve) => {
    const timer = clock.timer(delayMs, () => resolve({}));
    void settings.then((said) => {
      timer.cancel();
      resolve(said);
    });
  });
}
