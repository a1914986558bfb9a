import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type Settings,
} from "node:http2";
import { PortholeError } from "@porthole/common/errors";
import { limits } from "../limits.ts";
import type { Clock } from "@porthole/common/util";
import { Body, fromHttp2, toHttp2, type ForwardedHead, type RawHeaders, type ServiceTarget } from "../../http/index.ts";
import { Http1Upstream } from "./http1-upstream.ts";
import { connectService } from "./local-service.ts";
import { WebSocketCall } from "./websocket-call.ts";
import { visitorLeft, type SendInit, type Upstream, type UpstreamCall } from "./upstream.ts";

/** A service that speaks HTTP/2: one connection for each visitor's. */
export class Http2Upstream implements Upstream {
  readonly #service: ServiceTarget;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #session: Promise<ClientHttp2Session> | undefined;
  /** The service's SETTINGS, its first frame. */
  #settings: Promise<Settings> = Promise.resolve({});
  #http1: Http1Upstream | undefined;

  constructor(service: ServiceTarget, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
  }

  /** HTTP/2 has its own bound. */
  turn(): undefined {
    return undefined;
  }

  send(head: ForwardedHead, init: SendInit): UpstreamCall {
    const session = (this.#session ??= this.#connect());
    session.catch(() => (this.#session = undefined));
    if (init.upgrade === undefined) return new Http2Call(session, head, init);
    const overHttp1 = (own: SendInit): UpstreamCall => this.#overHttp1(head, own);
    return new WebSocketCall(head, init, { session, settings: () => this.#settings, clock: this.#clock, overHttp1 });
  }

  close(): void {
    this.#stop.abort(visitorLeft);
    this.#http1?.close();
    this.#session?.then(
      (opened) => opened.destroy(),
      () => {},
    );
  }

  /** Most servers of HTTP/2 take HTTP/1.1, too: by ALPN, or by the first bytes. */
  #overHttp1(head: ForwardedHead, init: SendInit): UpstreamCall {
    const kind = this.#service.kind === "h2" ? "https" : "http";
    this.#http1 ??= new Http1Upstream({ ...this.#service, kind }, this.#clock);
    return this.#http1.send(head, init);
  }

  async #connect(): Promise<ClientHttp2Session> {
    const { preface } = this.#service;
    const socket = await connectService(this.#service, {
      ...{ clock: this.#clock, signal: this.#stop.signal, preface },
      alpn: "h2",
    });
    const opened = http2.connect("http://service", {
      createConnection: () => socket,
      maxSessionMemory: limits.http2SessionMegabytes,
      maxHeaderListPairs: limits.maxHttpFields,
      settings: { enablePush: false, initialWindowSize: limits.streamWindowBytes },
    });
    this.#settings = new Promise((resolve) => {
      opened.once("remoteSettings", resolve).once("close", () => resolve({}));
    });
    opened.setLocalWindowSize(limits.serviceWindowBytes);
    opened.on("error", () => {});
    opened.on("close", () => (this.#session = undefined));
    opened.on("goaway", () => (this.#session = undefined));
    return opened;
  }
}

type StatusFields = IncomingHttpHeaders & { readonly ":status"?: number };

class Http2Call implements UpstreamCall {
  readonly #init: SendInit;
  /** Undefined until the connection is there. */
  #stream: ClientHttp2Stream | undefined;
  #held: Buffer[] = [];
  #hasEnded = false;
  #isAborted = false;
  #trailers: RawHeaders = [];
  #onDrain: () => void = () => {};

  constructor(session: Promise<ClientHttp2Session>, head: ForwardedHead, init: SendInit) {
    this.#init = init;
    session.then(
      (opened) => this.#send(opened, head),
      (reason: unknown) => this.#fail(PortholeError.from(reason)),
    );
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
    this.#hasEnded = true;
    this.#stream?.end();
  }

  abort(): void {
    this.#isAborted = true;
    this.#stream?.close(http2.constants.NGHTTP2_CANCEL);
  }

  #send(session: ClientHttp2Session, { method, target, headers, service }: ForwardedHead): void {
    if (this.#isAborted) return;
    const hasBody = this.#init.body !== "none";
    let stream: ClientHttp2Stream;
    try {
      const { host, ...fields } = toHttp2(headers);
      stream = session.request(
        {
          ...fields,
          ":method": method,
          ":path": target,
          ":scheme": service.kind === "h2" ? "https" : "http",
          ...(typeof host === "string" ? { ":authority": host } : {}),
        },
        { endStream: !hasBody, waitForTrailers: hasBody },
      );
    } catch (reason) {
      return this.#fail(PortholeError.from(reason));
    }
    this.#stream = stream;
    stream.on("wantTrailers", () => stream.sendTrailers(toHttp2(this.#trailers)));
    stream.on("drain", () => this.#onDrain());
    this.#listen(stream);
    for (const chunk of this.#held.splice(0)) stream.write(chunk);
    if (this.#hasEnded) stream.end();
    else if (!stream.writableNeedDrain) this.#onDrain();
  }

  #listen(stream: ClientHttp2Stream): void {
    const body = new Body(stream);
    let trailers: RawHeaders = [];
    let failure: Error | undefined;
    let hasReplied = false;
    stream.on("error", (error) => (failure = error));
    stream.on("trailers", (_fields: IncomingHttpHeaders, _flags: number, raw: string[]) => (trailers = fromHttp2(raw)));
    stream.on("headers", (fields: StatusFields, _flags: number, raw: string[]) => {
      if (!this.#isAborted) this.#init.onInform(fields[":status"] ?? 0, undefined, fromHttp2(raw));
    });
    stream.on("response", (fields: StatusFields, flags: number, raw: string[]) => {
      hasReplied = true;
      if (this.#isAborted) return;
      const hasEnded = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const head = { status: fields[":status"] ?? 0, statusText: undefined, headers: fromHttp2(raw) };
      this.#init.onReply({ kind: "response", head, body, rest: hasEnded ? "nothing" : "body and trailers" });
    });
    stream.on("data", (chunk: Buffer) => body.push(chunk));
    stream.on("end", () => {
      // Node ends streams in order also when they are cut off.
      if (!stream.destroyed && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR) body.finish(trailers);
    });
    stream.on("close", () => {
      const error = (): PortholeError =>
        new PortholeError(
          "closed",
          `The local service ended the request early${stream.rstCode ? ` (HTTP/2 code ${stream.rstCode})` : ""}`,
          { cause: failure },
        );
      if (!body.isWhole) body.breakOff(error());
      if (!hasReplied) this.#fail(error());
    });
  }

  #fail(error: PortholeError): void {
    if (!this.#isAborted) this.#init.onFailure({ error, wasReused: false });
    this.#isAborted = true;
  }
}
