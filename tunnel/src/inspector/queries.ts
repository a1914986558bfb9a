import * as v from "valibot";
import { count, flag, id, number, optional, text, texts, type Data } from "../schema/index.ts";
import { header } from "./views.ts";

/** The inspector's queries, the same over RPC. An id that is unknown or gone rejects with `usage`. */

/**
 * All that are given must hold. The same as one line of text: words `method:POST`, `status:404` or `status:5xx`, `path:/api`, `type:json`,
 * `kind:websocket`, `visitor:192.0.2.1`, `is:replay|failed|open`, each with a `-` before it to turn it round; every other word is searched in target, headers
 * and text bodies.
 */
export const exchangeFilter = v.object({ text });
export type ExchangeFilter = Data<typeof exchangeFilter>;

export const listQuery = v.object({
  filter: optional(exchangeFilter),
  /** Newest first, from below this `seq`. */
  before: optional(number),
  /** 200 when absent, 1,000 at most. */
  limit: optional(number),
});
export type ListQuery = Data<typeof listQuery>;

export const bodyQuery = v.object({
  id,
  side: v.picklist(["request", "response"]),
  /** Without it, values are redacted and binary bodies are given as they are. */
  unredacted: optional(flag),
  /** Position and size of the part to return, in UTF-16 units of `text` or bytes of `base64`. At most 1 Mi, which is also the default. */
  offset: optional(count),
  limit: optional(count),
});
export type BodyQuery = Data<typeof bodyQuery>;
export type BodySide = BodyQuery["side"];

export const detailQuery = v.object({ id, unredacted: optional(flag) });
export type DetailQuery = Data<typeof detailQuery>;

export const messagesQuery = v.object({
  id,
  /** Only those after this number: 0 for all. */
  after: optional(number),
  limit: optional(number),
  unredacted: optional(flag),
});
export type MessagesQuery = Data<typeof messagesQuery>;

/** Changes to a recorded request. Absent fields stay as recorded. */
export const replayEdit = v.object({
  method: optional(text),
  /** Path and query. A parameter whose value is the mark keeps the recorded value. */
  target: optional(text),
  /**
   * The whole new list, in the visitor's terms or the local service's: those of the forwarded request. A value that is the mark keeps the recorded one of that name (the
   * second mark of a name the second recorded value). Host stays when absent; Content-Length and hop-by-hop headers are set again.
   */
  headers: optional(v.array(header)),
  /** Must not contain the mark: to edit a body, ask for it unredacted. */
  body: optional(v.union([v.object({ text }), v.object({ base64: text })], "an object with text or base64")),
});
export type ReplayEdit = Data<typeof replayEdit>;

export const replayRequest = v.object({
  id,
  /** Absent: exactly what was recorded, byte for byte in the body. */
  edit: optional(replayEdit),
});
export type ReplayRequest = Data<typeof replayRequest>;

export const exportQuery = v.object({
  format: v.picklist(["curl", "fetch", "har"]),
  /** The exchanges in this order. curl and fetch take one, har any number; empty means all that match the filter (har only), the oldest first. */
  ids: texts,
  filter: optional(exchangeFilter),
  /** Only with this do values leave that are redacted otherwise. */
  unredacted: optional(flag),
  /** The target of curl and fetch: the public URL with the visitor's headers (default), or the local service with what it got. */
  to: optional(v.picklist(["public", "service"])),
});
export type ExportQuery = Data<typeof exportQuery>;
