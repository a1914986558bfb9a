import * as v from "valibot";
import { detailQuery, bodyQuery, exportQuery, listQuery, messagesQuery, replayRequest } from "../../inspector/index.ts";
import { flag, id, number, optional, text } from "../../schema/index.ts";

const tunnel = id;
export const ofTunnel = v.object({ tunnel });

/** What a tunnel with `inspect` has recorded. `usage` without `inspect`, and for an exchange that is gone. */
export const inspectSchemas = {
  "inspect/list": v.object({ tunnel, ...listQuery.entries }),
  "inspect/get": v.object({ tunnel, ...detailQuery.entries }),
  "inspect/body": v.object({ tunnel, ...bodyQuery.entries }),
  "inspect/messages": v.object({ tunnel, ...messagesQuery.entries }),
  "inspect/replay": v.object({ tunnel, ...replayRequest.entries }),
  "inspect/export": v.object({ tunnel, ...exportQuery.entries }),
  "inspect/clear": ofTunnel,
  "inspect/record": v.object({ tunnel, recording: flag }),
};

export const accessSchemas = {
  /** A link that lets in everyone who has it; `usage` unless the tunnel's access rules have `share`. It can't be read again. */
  "access/share": v.object({ tunnel, label: optional(text), forMs: optional(number) }),
  "access/links": ofTunnel,
  /** Who came in by the link is out at once. */
  "access/revoke": v.object({ tunnel, link: text }),
};
