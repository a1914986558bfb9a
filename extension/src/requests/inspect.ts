import { PortholeError } from "@porthole/common/errors";
import type { Requests } from "@porthole/tunnel/rpc";
import { failureOf, type Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import {
  pageMethods,
  type PageMethod,
  type PageParams,
  type PageResult,
  type ReadBody,
} from "@porthole/tunnel/requests";

/** Asks what was recorded of a port that this window exposes. Rejects with `usage` for every other; no daemon is started for it. */
export async function inspect<M extends PageMethod>(
  controller: Controller,
  tunnel: string,
  method: M,
  params: PageParams<M>,
): Promise<PageResult<M>> {
  const exposure = controller.find(tunnel);
  if (!pageMethods.includes(method) || exposure?.phase !== "on" || failureOf(exposure))
    throw new PortholeError("usage", t("This port is not exposed any more"));
  const daemon = await controller.daemon();
  const asked: unknown = { ...params, tunnel };
  return daemon.call(method, asked as Requests[M][0]);
}

/** Reads pieces of bodies of one port. */
export function bodyReader(controller: Controller, tunnel: string): ReadBody {
  return (query) => inspect(controller, tunnel, "inspect/body", query);
}
