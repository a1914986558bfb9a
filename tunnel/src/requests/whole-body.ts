import type { BodySide, BodyView, ExchangeDetail, Requests } from "../rpc/index.ts";
import type { RecordedBody } from "./http-text.ts";

/** Longer than any recorded body is when it is decoded. */
const maxPieces = 64;

/** Asks the daemon for a piece of a body. */
export type ReadBody = (query: Omit<Requests["inspect/body"][0], "tunnel">) => Promise<BodyView>;

/** A body with all of its pieces: text, or base64 piece by piece. */
export interface WholeBody extends Pick<BodyView, "info" | "format" | "decoding"> {
  readonly text?: string;
  readonly base64?: readonly string[];
}

export async function readWholeBody(
  read: ReadBody,
  query: { readonly id: string; readonly side: BodySide; readonly unredacted: boolean },
): Promise<WholeBody> {
  const texts: string[] = [];
  const base64: string[] = [];
  let offset: number | undefined = 0;
  for (let count = 0; ; count++) {
    const view: BodyView = await read({ ...query, offset });
    const { info, format, decoding } = view;
    if (view.text !== undefined) texts.push(view.text);
    if (view.base64 !== undefined) base64.push(view.base64);
    offset = view.nextOffset;
    if (offset === undefined || count === maxPieces)
      return { ...{ info, format, decoding }, ...(base64.length > 0 ? { base64 } : { text: texts.join("") }) };
  }
}

/** Reads what can be edited of a request's body: all of a text that was recorded whole and without an encoding. */
export async function readRecordedBody(read: ReadBody, detail: ExchangeDetail): Promise<RecordedBody> {
  const isWhole = detail.replay.possible;
  if (detail.request.body.state === "none") return { isWhole };
  const query = { id: detail.summary.id, side: "request" as const, unredacted: true };
  const { text, decoding, info } = await readWholeBody(read, query);
  const isText = text !== undefined && decoding === "none" && info.keptBytes === info.bytes;
  return { isWhole, ...(isText ? { text } : {}) };
}
