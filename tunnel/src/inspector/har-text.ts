import { visibleJson } from "@porthole/common/util";
import { readBody } from "./body-view.ts";
import { harOf, type HarSource } from "./export-har.ts";
import type { LoggedMessage } from "./message-log.ts";
import { messageViewOf } from "./message-view.ts";
import type { Redactor } from "./redactor.ts";
import type { BodyInfo, ExchangeDetail } from "./views.ts";

/** The limit on decoded bodies and messages: JSON makes more of them, and a reader has to hold all of it. */
export const maxHarBytes = 12 * 1024 * 1024;

interface KeptBody {
  readonly kept: Uint8Array;
  readonly info: BodyInfo;
}

/** The recording of one exchange. */
export interface HarRecord {
  readonly detail: ExchangeDetail;
  readonly request: KeptBody;
  readonly response: KeptBody;
  readonly messages: readonly LoggedMessage[];
}

export interface HarPart {
  /** An archive of its own, with these records alone. */
  readonly text: string;
  /** Decoded bytes of the bodies and messages, those of the parts before included. */
  readonly bytes: number;
}

/** Returns records as JSON. Bodies and messages are left out beyond `maxHarBytes`; `bytesBefore` are those of the parts before this one. */
export async function harText(
  records: readonly HarRecord[],
  redactor: Redactor | undefined,
  bytesBefore: number,
): Promise<HarPart> {
  const sources: HarSource[] = [];
  let bytes = bytesBefore;
  for (const { detail, request, response, messages } of records) {
    const isThere = bytes < maxHarBytes;
    const body = ({ kept, info }: KeptBody) =>
      readBody(isThere ? Buffer.from(kept.buffer, kept.byteOffset, kept.length) : Buffer.alloc(0), info, redactor);
    const source: HarSource = {
      detail,
      requestBody: await body(request),
      responseBody: await body(response),
      messages: (isThere ? messages : []).map((message) => messageViewOf(message, redactor)),
    };
    bytes += sizeOf(source);
    sources.push(source);
  }
  return { text: `${visibleJson(harOf(sources), { indent: 2 })}\n`, bytes };
}

const beginOfEntries = '"entries": [';
const endOfEntries = "\n    ]\n  }\n}\n";

/** Returns one archive with the entries of all parts. Each part has at least one. */
export function joinHars(parts: readonly string[]): string {
  const begin = (parts[0] ?? "").indexOf(beginOfEntries) + beginOfEntries.length;
  const entries = parts.map((text) => text.slice(begin, -endOfEntries.length));
  return `${(parts[0] ?? "").slice(0, begin)}${entries.join(",")}${endOfEntries}`;
}

function sizeOf({ requestBody, responseBody, messages }: HarSource): number {
  const texts = messages.reduce((sum, { text, base64 }) => sum + (text ?? base64 ?? "").length, 0);
  return requestBody.bytes.length + responseBody.bytes.length + texts;
}
