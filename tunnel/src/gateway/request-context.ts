import type { ServiceTarget } from "../http/index.ts";
import type { AnsweringContext } from "./answering.ts";
import type { GatewayOptions } from "./options.ts";
import type { ServiceModes } from "./service-modes.ts";
import type { LocalService } from "./services/local-service.ts";
import type { LocalNames } from "./services/local-side.ts";
import type { Upstream } from "./services/upstream.ts";

/** A request's endpoint and connection. */
export interface RequestContext extends AnsweringContext {
  readonly options: GatewayOptions;
  /** The endpoint's own. */
  readonly local: LocalService;
  readonly localNames: LocalNames;
  readonly isOurName: (hostname: string) => boolean;
  readonly modes: ServiceModes;
  readonly targetOf: (service: LocalService) => ServiceTarget;
  /** Returns the upstream of this visitor's connection alone. */
  upstreamFor(service: LocalService): Upstream;
  /**
   * An answer may be a refusal of the public name: asks the service itself, with nothing of the visitor's. Undefined when that is known not to
   * be so; otherwise resolves with whether it is.
   */
  suspectRefusal(service: LocalService, target: string): Promise<boolean> | undefined;
}
