import * as v from "valibot";
import type { ShareLink } from "../../access/index.ts";
import type {
  BodyView,
  ExchangeDetail,
  ExportResult,
  InspectorStatus,
  ListResult,
  MessagesResult,
  ReplayResult,
} from "../../inspector/index.ts";
import { id, ofTunnel, optional, position, texts, type Empty } from "./fields.ts";

const unredacted = optional(v.boolean());
const filter = v.object({ text: v.string() });
const number = optional(v.number());
const header = v.object({ name: v.string(), value: v.string(), redacted: optional(v.boolean()) });
const body = v.union(
  [v.object({ text: v.string() }), v.object({ base64: v.string() })],
  "an object with text or base64",
);
export const replayEdit = v.object({
  method: optional(v.string()),
  target: optional(v.string()),
  headers: optional(v.array(header)),
  body: optional(body),
});

/**
 * What a tunnel with `inspect` has recorded; tunnel/src/inspector/types.ts has the fields. `usage` without `inspect`, and for an
 * exchange that is gone.
 */
export const inspectSchemas = {
  "inspect/list": v.object({ tunnel: id, filter: optional(filter), before: number, limit: number }),
  "inspect/get": v.object({ tunnel: id, id, unredacted }),
  "inspect/body": v.object({
    ...{ tunnel: id, id, unredacted },
    side: v.picklist(["request", "response"]),
    offset: optional(position),
    limit: optional(position),
  }),
  "inspect/messages": v.object({ tunnel: id, id, unredacted, after: number, limit: number }),
  "inspect/replay": v.object({ tunnel: id, id, edit: optional(replayEdit) }),
  "inspect/export": v.object({
    ...{ tunnel: id, ids: texts, filter: optional(filter), unredacted },
    format: v.picklist(["curl", "fetch", "har"]),
    to: optional(v.picklist(["public", "service"])),
  }),
  "inspect/clear": ofTunnel,
  "inspect/record": v.object({ tunnel: id, recording: v.boolean() }),
};

export interface InspectResults {
  "inspect/list": ListResult;
  "inspect/get": ExchangeDetail;
  "inspect/body": BodyView;
  "inspect/messages": MessagesResult;
  "inspect/replay": ReplayResult;
  "inspect/export": ExportResult;
  "inspect/clear": Empty;
  "inspect/record": InspectorStatus;
}

export const accessSchemas = {
  /** A link that lets in everyone who has it; `usage` unless the tunnel's access rules have `share`. It can't be read again. */
  "access/share": v.object({ tunnel: id, label: optional(v.string()), forMs: number }),
  "access/links": ofTunnel,
  /** Who came in by the link is out at once. */
  "access/revoke": v.object({ tunnel: id, link: v.string() }),
};

export interface AccessResults {
  /** The link itself, for each public URL that there is now. */
  "access/share": { readonly link: ShareLink; readonly urls: readonly string[] };
  "access/links": { readonly links: readonly ShareLink[] };
  "access/revoke": Empty;
}
