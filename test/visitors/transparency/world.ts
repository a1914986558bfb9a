import type { Socket } from "node:net";
import type { Scope, Site } from "@porthole/testing/end-to-end";
import type { ServiceKind } from "./listed.ts";
import type { RawService } from "./raw-service.ts";
import type { Http2Visitor } from "./visitors.ts";

/** What the cases of a suite share: one tunnel to one service, and a visitor with an HTTP/2 connection. */
export interface World {
  readonly scope: Scope;
  readonly site: Site;
  readonly kind: ServiceKind;
  readonly service: RawService;
  readonly http2: Http2Visitor;
  /** A connection to the service without the tunnel. */
  dial(): Promise<Socket>;
}
