import { PortholeError } from "@porthole/common/errors";
import type { BodySide, BodyView, Requests } from "@porthole/tunnel/rpc";
import { failureOf, type Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import {
  pageMethods,
  type ExchangeRef,
  type PageMethod,
  type PageParams,
  type PageResult,
} from "@porthole/tunnel/requests";

/** Longer than any recorded body is when it is decoded. */
const maxPieces = 64;

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

/** A body with all of its pieces. */
export interface WholeBody extends Pick<BodyView, "info" | "format" | "decoding"> {
  readonly text?: string;
  readonly bytes?: Buffer;
}

export async function readWholeBody(
  controller: Controller,
  { tunnel, id }: ExchangeRef,
  side: BodySide,
  unredacted: boolean,
): Promise<WholeBody> {
  const texts: string[] = [];
  const pieces: Buffer[] = [];
  let offset: number | undefined = 0;
  for (let count = 0; ; count++) {
    const view: BodyView = await inspect(controller, tunnel, "inspect/body", {
      ...{ id, side, offset },
      ...(unredacted ? { unredacted } : {}),
    });
    const { info, format, decoding } = view;
    if (view.text !== undefined) texts.push(view.text);
    if (view.base64 !== undefined) pieces.push(Buffer.from(view.base64, "base64"));
    offset = view.nextOffset;
    if (offset === undefined || count === maxPieces)
      return {
        ...{ info, format, decoding },
        ...(pieces.length > 0 ? { bytes: Buffer.concat(pieces) } : { text: texts.join("") }),
      };
  }
}
