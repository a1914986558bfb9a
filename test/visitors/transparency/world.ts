import type { Scope, Site } from "../../fixture/index.ts";
import type { RawService } from "./raw-service.ts";
import type { Http2Visitor } from "./visitors.ts";

/** What all cases share: one tunnel to one service, and a visitor with an HTTP/2 connection. */
export interface World {
  readonly scope: Scope;
  readonly site: Site;
  readonly service: RawService;
  readonly http2: Http2Visitor;
}
