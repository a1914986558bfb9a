import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { PortholeError, setting } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import { carryRaw } from "./carry-raw.ts";
import type { AccessSummary, RawDecision } from "../access/index.ts";
import type { RequestReport, ServiceTarget, VisitorConnection } from "../http/index.ts";
import { awaitFirstBytes, type Spoken } from "./services/first-bytes.ts";
import { acceptHttp1 } from "./visitors/http1-visitor.ts";
import { acceptHttp2 } from "./visitors/http2-visitors.ts";
import { localNames, localSide } from "./services/local-side.ts";
import { connectService, type LocalService } from "./services/local-service.ts";
import { defaultGatewayOptions, type GatewayMode, type GatewayOptions } from "./options.ts";
import type { RequestContext } from "./request-context.ts";
import { serveRequest } from "./serve-request.ts";
import { probeName, type NameProbe, type NameRefusal } from "./name-probe.ts";
import { ServiceModes, type LearnedMode } from "./service-modes.ts";
import { ServiceTargets } from "./services/service-targets.ts";
import { createUpstream } from "./services/create-upstream.ts";
import type { Upstream } from "./services/upstream.ts";
import { unreadAnswers, type UnreadAnswers } from "./unread-answers.ts";
import type { ServeRequest, VisitorStream } from "./visitors/visitor.ts";

export interface GatewayDeps {
  readonly local: LocalService;
  readonly options?: Partial<GatewayOptions> | undefined;
  readonly isOurName: (hostname: string) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A gateway's state, for display. */
export interface GatewayState {
  readonly mode: GatewayMode;
  readonly headers: GatewayOptions["headers"];
  readonly routes: readonly { readonly path: string; readonly service: string }[];
  readonly paused: boolean;
  /** Services that get localhost's headers because they refused the public name. */
  readonly adapted: readonly LearnedMode[];
  /** The access rules. Absent when everybody may visit. */
  readonly access?: AccessSummary;
}

export interface ServeInit {
  readonly visitor: VisitorConnection;
  /** A PROXY protocol header that tells a service who the visitor is, if the endpoint's options say that it is told so. */
  readonly proxyHeader: Buffer;
  readonly signal: AbortSignal;
  readonly onRequest: (report: RequestReport) => void;
}

/** A visitor's TLS, which may know what waits below it. */
export type VisitorTls = TLSSocket & Pick<VisitorStream, "unsentBytes" | "takesAtOnce">;

/** How a visitor's connection went. */
export interface ServeEnd {
  readonly mode: "http" | "tcp";
  readonly error?: PortholeError;
}

/** One endpoint's way from decrypted connections to local services. */
export class Gateway {
  readonly #deps: GatewayDeps;
  readonly #modes: ServiceModes;
  readonly #targets: ServiceTargets;
  readonly #onChange = new Set<() => void>();
  #options: GatewayOptions;
  #local: LocalService;
  #localNames: RequestContext["localNames"];

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#targets = new ServiceTargets(deps);
    this.#options = { ...defaultGatewayOptions, ...deps.options };
    this.#local = deps.local;
    this.#localNames = localNames(deps.local, this.#options.routes);
    this.#modes = new ServiceModes(deps.clock, (service, refusal) => this.#onModeChange(service, refusal));
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

  /** Changes options for connections and requests that begin from now on. */
  update(change: Partial<GatewayOptions>): void {
    this.#options = { ...this.#options, ...change };
    if (change.headers) this.#modes.forget();
    this.#localNames = localNames(this.#local, this.#options.routes);
    this.#changed();
  }

  /** Changes the service for connections and requests that begin from now on. */
  useLocal(local: LocalService): void {
    this.#local = local;
    this.update({});
  }

  /** Calls back when `state` has changed. Returns a function that ends that. */
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
  async serve(socket: VisitorTls, offered: readonly string[], init: ServeInit): Promise<ServeEnd> {
    const { clock } = this.#deps;
    const alpn = socket.alpnProtocol || undefined;
    const at = { alpn, signal: init.signal, preface: this.#options.proxyProtocol ? init.proxyHeader : undefined };
    const raw: RawDecision = this.#options.access?.admitsRaw(init.visitor) ?? { allow: true };
    const connect = () =>
      connectService(
        { ...this.#local, onUnverified: this.#targets.unverified(this.#local) },
        { clock, allowHalfOpen: true, ...at },
      );
    // A paused endpoint connects to nothing.
    let spoken = this.#expected(alpn, raw.allow && !this.#options.paused);
    let service: Duplex | undefined;
    let rest: Buffer | undefined;
    if (spoken === undefined) ({ spoken, service, rest } = await awaitFirstBytes(socket, { clock, connect }));
    if (spoken !== "raw") {
      service?.destroy();
      const target = await this.#targets.for({
        ...{ local: this.#local, others: this.#options.routes.map((route) => route.service) },
        ...{ offered, ...at },
      });
      return { mode: "http", ...(await this.#serveHttp(socket, spoken, target, init)) };
    }
    if (!raw.allow || this.#options.paused) {
      service?.destroy();
      throw new PortholeError("unauthorized", raw.allow ? "The endpoint is paused" : "The access rules need HTTP");
    }
    service ??= await connect();
    if (rest) service.write(rest);
    return { mode: "tcp", ...(await carryRaw(socket, service, { until: raw.until, unread: this.#unread })) };
  }

  /** Undefined when the first bytes have to tell. */
  #expected(alpn: string | undefined, mayBeRaw: boolean): Spoken | undefined {
    const mode = this.#mode;
    if (mode === "tcp") return "raw";
    if (alpn === "h2") return "http2";
    if (alpn === "http/1.1" || mode === "http" || !mayBeRaw) return "http1";
    return alpn === undefined ? undefined : "raw";
  }

  #serveHttp(
    socket: VisitorTls,
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
    const context = this.#requestContext(init, target, upstreamFor);
    const serve: ServeRequest = (request, answer, onOver) => serveRequest(request, answer, context, onOver);
    const accept = spoken === "http2" ? acceptHttp2 : acceptHttp1;
    let stopWatching = (): void => {};
    // Its end may have come together with the handshake, and is not told again: nobody asks for anything.
    if (socket.readableEnded) socket.destroySoon();
    else stopWatching = this.#unread.watch(accept(socket, serve, clock));
    return new Promise((resolve) => {
      const onClose = (): void => {
        stopWatching();
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
    // Settings hold for requests that begin after a change.
    const options = (): GatewayOptions => this.#options;
    const local = (): LocalService => this.#local;
    const names = (): RequestContext["localNames"] => this.#localNames;
    return {
      visitor,
      get options() {
        return options();
      },
      get local() {
        return local();
      },
      get localNames() {
        return names();
      },
      isOurName,
      modes: this.#modes,
      targetOf: target,
      upstreamFor,
      clock,
      unread: this.#unread,
      onReport: onRequest,
      suspectRefusal: (service, path) => this.#suspectRefusal(visitor, service, target(service), path),
      onServiceError(error) {
        log.warn({ code: error.code, hint: error.hint }, error.message);
      },
    };
  }

  #suspectRefusal(
    visitor: VisitorConnection,
    service: LocalService,
    target: ServiceTarget,
    path: string,
  ): Promise<boolean> | undefined {
    const asked = path.startsWith("/_next/") ? "/_next/" : "/";
    return this.#modes.suspect(service, asked, () => this.#probe(visitor, service, target, asked));
  }

  #probe(
    visitor: VisitorConnection,
    service: LocalService,
    target: ServiceTarget,
    path: NameProbe["path"],
  ): Promise<NameRefusal | undefined> {
    const { hostname, publicPort = 443 } = visitor;
    const publicAuthority = publicPort === 443 ? hostname : `${hostname}:${publicPort}`;
    const names = { publicAuthority, local: localSide(service), localNames: this.#localNames };
    return probeName({ service: target, names, path, clock: this.#deps.clock });
  }

  #onModeChange(service: LocalService, refusal: NameRefusal | undefined): void {
    const { text } = service;
    if (refusal) {
      const server = refusal.server ?? "The service";
      this.#deps.log.info(
        { server, service: text },
        `Fixed: ${server} at ${text} refused the public name, so it gets requests as from localhost. (Set ${setting("headers")} to transparent to turn this off.)`,
      );
    } else this.#deps.log.info({ service: text }, `${text} gets requests under the public name again.`);
    this.#changed();
  }

  get #unread(): UnreadAnswers {
    return this.#options.unread ?? unreadAnswers;
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
