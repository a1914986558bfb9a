import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { splice, type Clock } from "@porthole/common/util";
import type { AccessSummary, RawDecision } from "../access/index.ts";
import type { VisitorConnection, RequestReport } from "../http/index.ts";
import { awaitFirstBytes, type Spoken } from "./services/first-bytes.ts";
import { createHttp1Visitors, type Http1Visitors } from "./visitors/http1-visitors.ts";
import { acceptHttp2 } from "./visitors/http2-visitors.ts";
import { localNames, targetOf } from "./services/local-side.ts";
import { connectService, type LocalService } from "./services/local-service.ts";
import { defaultGatewayOptions, type GatewayMode, type GatewayOptions } from "./options.ts";
import { serveRequest, type RequestContext } from "./serve-request.ts";
import { ServiceModes, type LearnedMode } from "./service-modes.ts";
import { speaksHttp2 } from "./services/speaks-http2.ts";
import { createUpstream, type Upstream } from "./services/upstream.ts";
import type { ServeRequest } from "./visitors/visitor.ts";

export interface GatewayDeps {
  readonly local: LocalService;
  readonly options?: Partial<GatewayOptions> | undefined;
  readonly isOurName: (hostname: string) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a person sees of it. */
export interface GatewayState {
  readonly mode: GatewayMode;
  readonly headers: GatewayOptions["headers"];
  readonly routes: readonly { readonly path: string; readonly service: string }[];
  readonly paused: boolean;
  /** Services that get localhost's headers because they refused the public name. */
  readonly adapted: readonly LearnedMode[];
  /** Who may visit; everybody when absent. */
  readonly access?: AccessSummary;
}

export interface ServeInit {
  readonly visitor: VisitorConnection;
  /** A PROXY protocol header that tells a service who the visitor is, if the endpoint's options say that it is told so. */
  readonly proxyHeader: Buffer;
  readonly signal: AbortSignal;
  readonly onRequest: (report: RequestReport) => void;
}

/** How a visitor's connection went. */
export interface ServeEnd {
  readonly mode: "http" | "tcp";
  readonly error?: PortholeError;
}

/** One endpoint's way from decrypted connections to local services. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #http1: Http1Visitors;
  readonly #modes = new ServiceModes();
  readonly #onChange = new Set<() => void>();
  #options: GatewayOptions;
  #local: LocalService;
  #localNames: RequestContext["localNames"];

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#options = { ...defaultGatewayOptions, ...deps.options };
    this.#local = deps.local;
    this.#localNames = localNames(deps.local, this.#options.routes);
    this.#http1 = createHttp1Visitors(deps.clock);
  }

  get local(): LocalService {
    return this.#local;
  }

  get options(): GatewayOptions {
    return this.#options;
  }

  get state(): GatewayState {
    const { headers, routes, paused, access } = this.#options;
    return {
      mode: this.#mode,
      headers,
      routes: routes.map(({ path, service }) => ({ path, service: service.text })),
      paused,
      adapted: this.#modes.learned,
      ...(access?.summary && { access: access.summary }),
    };
  }

  /** For connections and requests that begin from now on. */
  update(change: Partial<GatewayOptions>): void {
    this.#options = { ...this.#options, ...change };
    if (change.headers) this.#modes.forget();
    this.#localNames = localNames(this.#local, this.#options.routes);
    this.#changed();
  }

  /** For connections and requests that begin from now on. */
  useLocal(local: LocalService): void {
    this.#local = local;
    this.update({});
  }

  /** Called back when `state` has changed; the answer ends that. */
  onChange(callback: () => void): () => void {
    this.#onChange.add(callback);
    return () => this.#onChange.delete(callback);
  }

  /**
   * What a visitor's TLS may agree on, as TLS's ALPN callback wants it: one of the offered protocols, or undefined to refuse. Where nothing is
   * parsed the service gets what the visitor speaks, so HTTP/2 is agreed on only with a service that said it speaks it, or with a visitor
   * that speaks nothing else.
   */
  chooseAlpn(offered: readonly string[]): string | undefined {
    const other = offered.filter((name) => name !== "h2" && name !== "http/1.1");
    const preferred = {
      http: ["h2", "http/1.1"],
      auto: ["h2", "http/1.1", ...other],
      tcp: this.#local.kind === "h2c" ? ["h2", "http/1.1", ...other] : ["http/1.1", ...other, "h2"],
    }[this.#mode];
    return preferred.find((name) => offered.includes(name));
  }

  /**
   * Serves one visitor until both sides are through; `offered` is what its ALPN offered. Rejects with `service-down` where there is nobody to
   * carry its bytes to: the caller owes it an orderly end then. In every other case the socket is closed.
   */
  async serve(socket: TLSSocket, offered: readonly string[], init: ServeInit): Promise<ServeEnd> {
    const alpn = socket.alpnProtocol || undefined;
    const raw: RawDecision = this.#options.access?.admitsRaw(init.visitor) ?? { allow: true };
    const connect = () =>
      connectService(this.#local, {
        ...{ clock: this.#deps.clock, signal: init.signal, alpn, allowHalfOpen: true },
        preface: this.#prefaceFor(init),
      });
    let spoken = this.#expected(alpn, raw.allow);
    let service: Duplex | undefined;
    let rest: Buffer | undefined;
    if (spoken === undefined)
      ({ spoken, service, rest } = await awaitFirstBytes(socket, { clock: this.#deps.clock, connect }));
    if (spoken !== "raw") {
      service?.destroy();
      const target = await this.#targets(alpn, offered, init);
      return { mode: "http", ...(await this.#serveHttp(socket, spoken, target, init)) };
    }
    if (!raw.allow || this.#options.paused) {
      service?.destroy();
      throw new PortholeError("unauthorized", raw.allow ? "The endpoint is paused" : "The access rules need HTTP");
    }
    service ??= await connect();
    if (rest) service.write(rest);
    return { mode: "tcp", ...(await carryRaw(socket, service, raw.until)) };
  }

  /** Undefined when the first bytes have to tell. */
  #expected(alpn: string | undefined, mayBeRaw: boolean): Spoken | undefined {
    const mode = this.#mode;
    if (mode === "tcp") return "raw";
    if (alpn === "h2") return "http2";
    if (alpn === "http/1.1" || mode === "http" || !mayBeRaw) return "http1";
    return alpn === undefined ? undefined : "raw";
  }

  #prefaceFor({ proxyHeader }: ServeInit): Buffer | undefined {
    return this.#options.proxyProtocol ? proxyHeader : undefined;
  }

  /** Browsers offer both versions; who can do nothing but HTTP/2 may be a gRPC client, whose service can do nothing else either. */
  async #targets(
    alpn: string | undefined,
    offered: readonly string[],
    init: ServeInit,
  ): Promise<RequestContext["targetOf"]> {
    const { clock } = this.#deps;
    const local = this.#local;
    const preface = this.#prefaceFor(init);
    const isOpen = alpn === "h2" && !offered.includes("http/1.1") && local.kind === "any";
    const isHttp2 = isOpen && (await speaksHttp2(local, { clock, signal: init.signal, preface }));
    return (service) => {
      const target = { ...targetOf(service), preface };
      return isHttp2 && service === local ? { ...target, kind: "h2c" } : target;
    };
  }

  #serveHttp(
    socket: TLSSocket,
    spoken: "http1" | "http2",
    target: RequestContext["targetOf"],
    init: ServeInit,
  ): Promise<{ readonly error?: PortholeError }> {
    const { clock } = this.#deps;
    const upstreams = new Map<string, Upstream>();
    const upstreamFor = (service: LocalService): Upstream => {
      const present = upstreams.get(service.text);
      if (present) return present;
      const made = createUpstream(target(service), clock);
      upstreams.set(service.text, made);
      return made;
    };
    const serve: ServeRequest = (request, answer) =>
      serveRequest(request, answer, this.#requestContext(init, target, upstreamFor));
    // Its end may have come together with the handshake, and is not told again: nobody asks for anything.
    if (socket.readableEnded) socket.destroySoon();
    else if (spoken === "http2") acceptHttp2(socket, serve, clock);
    else this.#http1.accept(socket, serve);
    return new Promise((resolve) => {
      const onClose = (): void => {
        for (const upstream of upstreams.values()) upstream.close();
        resolve({});
      };
      if (socket.closed) onClose();
      else socket.on("close", onClose);
    });
  }

  #requestContext(
    { visitor, onRequest }: ServeInit,
    target: RequestContext["targetOf"],
    upstreamFor: RequestContext["upstreamFor"],
  ): RequestContext {
    const { isOurName, clock, log } = this.#deps;
    return {
      visitor,
      options: this.#options,
      local: this.#local,
      localNames: this.#localNames,
      isOurName,
      modes: this.#modes,
      targetOf: target,
      upstreamFor,
      clock,
      onReport: onRequest,
      onRefusal: (service, server) => this.#onRefusal(service, server),
      onServiceError(error) {
        if (error.code === "service-down" || error.code === "protocol") log.warn({ hint: error.hint }, error.message);
        else log.debug({ code: error.code }, error.message);
      },
    };
  }

  #onRefusal(service: LocalService, server: string): void {
    if (!this.#modes.learn(service, server)) return;
    this.#deps.log.info(
      { server, service: service.text },
      `Fixed: ${server} at ${service.text} refused the public name, so it gets requests as from localhost. (--headers transparent turns this off.)`,
    );
    this.#changed();
  }

  /** The options may leave open what a service is; its address may say it. */
  get #mode(): GatewayMode {
    const { mode } = this.#options;
    const { kind } = this.#local;
    if (mode !== "auto" || kind === "any") return mode;
    return kind === "tcp" ? "tcp" : "http";
  }

  #changed(): void {
    for (const callback of this.#onChange) callback();
  }
}

function carryRaw(
  visitor: Duplex,
  service: Duplex,
  until: AbortSignal | undefined,
): Promise<{ readonly error?: PortholeError }> {
  return new Promise((resolve) => {
    const end = (): void =>
      void visitor.destroy(new PortholeError("unauthorized", "What had let this visitor in has ended"));
    until?.addEventListener("abort", end, { once: true });
    splice(visitor, service, ({ error }) => {
      until?.removeEventListener("abort", end);
      resolve(error ? { error } : {});
    });
    if (until?.aborted) end();
  });
}
