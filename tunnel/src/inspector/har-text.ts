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

/** The archive as JSON. Bodies and messages beyond the limit are left out, which `isTooMuch` says. */
export async function harText(
  records: readonly HarRecord[],
  redactor: Redactor | undefined,
): Promise<{ readonly text: string; readonly isTooMuch: boolean }> {
  const sources: HarSource[] = [];
  let bytes = 0;
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
  return { text: `${visibleJson(harOf(sources), { indent: 2 })}\n`, isTooMuch: bytes >= maxHarBytes };
}

function sizeOf({ requestBody, responseBody, messages }: HarSource): number {
  const texts = messages.reduce((sum, { text, base64 }) => sum + (text ?? base64 ?? "").length, 0);
  return requestBody.bytes.length + responseBody.bytes.length + texts;
}
