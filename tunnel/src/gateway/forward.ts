import { withoutStripped, type Allowed } from "../access/index.ts";
import { valueOf, type ForwardedHead, type ServiceTarget } from "../http/index.ts";
import { toService, type Names } from "./header-modes.ts";
import type { RequestContext } from "./request-context.ts";
import { localSide } from "./services/local-side.ts";
import type { LocalService } from "./services/local-service.ts";
import { serviceFor } from "./services/routes.ts";
import type { Upstream } from "./services/upstream.ts";
import type { VisitorRequest } from "./visitors/visitor.ts";

/** Decides where an admitted request goes, and what its service sees of it. */
export class Forward {
  readonly service: LocalService;
  readonly target: ServiceTarget;
  readonly upstream: Upstream;
  /** The path with its query. */
  readonly path: string;
  readonly allowed: Allowed | undefined;
  /** The body's length, as the visitor gave it. */
  readonly length: string | undefined;
  /** The names by the header mode at the last try. */
  names: Names;
  readonly #context: RequestContext;
  readonly #method: string;
  readonly #headers: readonly string[];
  readonly #authority: string;

  constructor(
    context: RequestContext,
    request: VisitorRequest,
    authority: string,
    target: string,
    allowed: Allowed | undefined,
  ) {
    this.#context = context;
    this.#method = request.method;
    this.#authority = authority;
    this.allowed = allowed;
    const stripped = withoutStripped({ target, headers: request.headers }, allowed?.strip);
    this.path = stripped.target;
    this.#headers = stripped.headers;
    this.service = serviceFor(context.options.routes, stripped.target, context.local);
    this.target = context.targetOf(this.service);
    this.upstream = context.upstreamFor(this.service);
    this.names = this.#names();
    const length = valueOf(stripped.headers, "content-length");
    // RFC 9110 section 8.6: HTTP/1.1 servers expect one with these methods.
    const isBare = !request.body && request.httpVersion === "2" && ["POST", "PUT", "PATCH"].includes(request.method);
    this.length = length ?? (isBare ? "0" : undefined);
  }

  head(): ForwardedHead {
    this.names = this.#names();
    const headers = toService(this.#headers, this.#context.visitor, this.names);
    if (this.length !== undefined) headers.push("Content-Length", this.length);
    return { service: this.target, method: this.#method, target: this.path, headers };
  }

  #names(): Names {
    const { modes, options, localNames } = this.#context;
    return {
      mode: modes.of(this.service, options.headers),
      publicAuthority: this.#authority,
      local: localSide(this.service),
      localNames,
    };
  }
}
