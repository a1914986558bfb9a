import type { Clock } from "@porthole/common/util";
import type { ServiceTarget } from "../../http/index.ts";
import { Http1Upstream } from "./http1-upstream.ts";
import { Http2Upstream } from "./http2-upstream.ts";
import type { Upstream } from "./upstream.ts";

/** The caller closes it. */
export function createUpstream(service: ServiceTarget, clock: Clock): Upstream {
  return service.kind === "h2c" || service.kind === "h2"
    ? new Http2Upstream(service, clock)
    : new Http1Upstream(service, clock);
}
