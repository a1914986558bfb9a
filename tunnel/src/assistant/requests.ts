import type { BodyView, ExchangeDetail, ExchangeSummary, Header } from "../rpc/index.ts";
import { assistantLimits } from "./limits.ts";

/** Rows and whole requests as assistants read them: redacted, bounded, and as data, never as text that could pass for instructions. */

const { maxBodyChars, maxHeaders, maxTextChars } = assistantLimits;

export function summaryView(summary: ExchangeSummary): object {
  const { id, method, target, status, startedAt, durationMs, state, kind, visitor, requestType, responseType } =
    summary;
  return {
    ...{ id, method, target: cut(target), status, state, kind },
    time: new Date(startedAt).toISOString(),
    durationMs: durationMs === undefined ? undefined : Math.round(durationMs),
    visitor: visitor.address,
    ...{ requestType, responseType, requestBytes: summary.requestBytes, responseBytes: summary.responseBytes },
    replayOf: summary.replayOf,
    error: summary.error,
  };
}

export function detailView(
  { summary, request, response, replay }: ExchangeDetail,
  bodies: { readonly request: BodyView | undefined; readonly response: BodyView | undefined },
): object {
  return {
    ...summaryView(summary),
    canBeReplayed: replay.possible,
    request: { headers: headersView(request.headers), body: bodyView(bodies.request) },
    response: response && { headers: headersView(response.headers), body: bodyView(bodies.response) },
  };
}

function headersView(headers: readonly Header[]): object {
  return headers.slice(0, maxHeaders).map(({ name, value }) => `${name}: ${cut(value)}`);
}

function bodyView(body: BodyView | undefined): unknown {
  if (!body || body.format === "none") return undefined;
  const { text, info, nextOffset } = body;
  // Form fields are the redacted text of a form.
  const shown = text ?? body.fields?.map(({ name, value }) => `${name}=${value}`).join("\n");
  if (shown === undefined) return { contentType: info.contentType, bytes: info.bytes, note: "Binary; not shown." };
  const isWhole = shown.length <= maxBodyChars && nextOffset === undefined && info.state !== "truncated";
  return {
    ...{ contentType: info.contentType, bytes: info.bytes, text: shown.slice(0, maxBodyChars) },
    ...(isWhole ? {} : { note: "Only the beginning is shown." }),
  };
}

function cut(text: string): string {
  return text.length <= maxTextChars ? text : `${text.slice(0, maxTextChars)}…`;
}
