import { version } from "@porthole/common/version";
import type { ReadBody } from "./body-view.ts";
import { fieldsOf } from "./redact-fields.ts";
import type { ExchangeDetail, Header, MessageView } from "./views.ts";

/** An exchange with everything that a HAR says of it, redacted already unless the user wanted otherwise. */
export interface HarSource {
  readonly detail: ExchangeDetail;
  readonly requestBody: ReadBody;
  readonly responseBody: ReadBody;
  readonly messages: readonly MessageView[];
}

/** HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/). Fields with an underscore are those that browsers add, too. */
export function harOf(sources: readonly HarSource[]): object {
  return {
    log: {
      version: "1.2",
      creator: { name: "Porthole", version },
      pages: [],
      entries: sources.map((source) => entryOf(source)),
    },
  };
}

function entryOf({ detail, requestBody, responseBody, messages }: HarSource): object {
  const { summary, timing, request, response } = detail;
  const url = detail.origin + (summary.target.startsWith("/") ? summary.target : "/");
  const total = summary.durationMs ?? timing.responseEndMs ?? timing.responseHeadMs ?? 0;
  const forwarded = timing.forwardedMs ?? 0;
  const head = Math.max(timing.responseHeadMs ?? total, forwarded);
  return {
    startedDateTime: new Date(timing.startedAt).toISOString(),
    time: total,
    request: {
      method: summary.method,
      url,
      httpVersion: httpVersion(summary.httpVersion),
      cookies: cookiesOf(request.headers, "cookie"),
      headers: pairsOf(request.headers),
      queryString: queryOf(summary.target),
      headersSize: -1,
      bodySize: request.body.bytes,
      ...(requestBody.bytes.length > 0 && { postData: postDataOf(request.body.contentType, requestBody) }),
    },
    response: {
      status: response?.status ?? 0,
      statusText: response?.statusText ?? "",
      httpVersion: httpVersion(summary.httpVersion),
      cookies: cookiesOf(response?.headers ?? [], "set-cookie"),
      headers: pairsOf(response?.headers ?? []),
      content: contentOf(detail, responseBody),
      redirectURL: valueOf(response?.headers ?? [], "location"),
      headersSize: -1,
      bodySize: response?.body.bytes ?? -1,
    },
    cache: {},
    timings: {
      blocked: forwarded,
      dns: -1,
      connect: -1,
      ssl: -1,
      send: 0,
      wait: head - forwarded,
      receive: Math.max(total - head, 0),
    },
    _id: summary.id,
    _traceId: summary.traceId,
    _visitorAddress: summary.visitor.address,
    ...(summary.replayOf !== undefined && { _replayOf: summary.replayOf }),
    ...(summary.error && { _error: summary.error.message }),
    ...(messages.length > 0 && { _resourceType: summary.kind === "sse" ? "eventsource" : "websocket" }),
    ...(summary.kind === "websocket" && {
      _webSocketMessages: messages.map((message) => webSocketMessage(message, timing.startedAt)),
    }),
  };
}

function postDataOf(mimeType: string, { format, text, bytes }: ReadBody): object {
  if (text === undefined) return { mimeType, text: bytes.toString("base64"), _encoding: "base64" };
  if (format !== "form" && format !== "multipart") return { mimeType, text };
  const params = fieldsOf(text, mimeType, () => false);
  return { mimeType, text, params: params.map(({ name, value }) => ({ name, value })) };
}

function contentOf({ response }: ExchangeDetail, { text, bytes }: ReadBody): object {
  const sent = response?.body.bytes ?? 0;
  return {
    size: bytes.length,
    ...(bytes.length > sent && sent > 0 && { compression: bytes.length - sent }),
    mimeType: response?.body.contentType || "x-unknown",
    ...(text === undefined ? { text: bytes.toString("base64"), encoding: "base64" } : { text }),
    ...(response?.body.state === "truncated" && { comment: "Only the beginning was kept." }),
  };
}

function webSocketMessage({ from, type, atMs, text, base64 }: MessageView, startedAt: number): object {
  const opcodes: Partial<Record<MessageView["type"], number>> = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
  return {
    type: from === "visitor" ? "send" : "receive",
    time: (startedAt + atMs) / 1_000,
    opcode: opcodes[type] ?? 0,
    data: text ?? base64 ?? "",
  };
}

function pairsOf(headers: readonly Header[]): object[] {
  return headers.map(({ name, value }) => ({ name, value }));
}

function valueOf(headers: readonly Header[], name: string): string {
  return headers.find((header) => header.name.toLowerCase() === name)?.value ?? "";
}

function cookiesOf(headers: readonly Header[], header: "cookie" | "set-cookie"): object[] {
  return headers
    .filter(({ name }) => name.toLowerCase() === header)
    .flatMap(({ value }) => (header === "cookie" ? value.split(";") : [value.split(";", 1)[0] ?? ""]))
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = ""] = pair.split("=", 1);
      return { name, value: pair.slice(name.length + 1) };
    });
}

function queryOf(target: string): object[] {
  const start = target.indexOf("?");
  if (start < 0) return [];
  // What was redacted stays readable: the mark is not percent-encoded.
  return [...new URLSearchParams(target.slice(start + 1))].map(([name, value]) => ({ name, value }));
}

function httpVersion(version: string): string {
  return version === "2" ? "HTTP/2.0" : `HTTP/${version}`;
}
