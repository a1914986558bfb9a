import { valueOf, type RawHeaders } from "../http/index.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redactor.ts";
import { whyNoReplay } from "./replay-request.ts";
import type { BodyInfo, ExchangeDetail, ExchangeSummary, Header } from "./views.ts";

export function summaryOf(recording: Recording, redactor: Redactor): ExchangeSummary {
  const { request, response, marks, error, origin, messages } = recording;
  const requestType = mediaType(request.headers);
  const responseType = response && mediaType(response.headers);
  return {
    id: recording.id,
    seq: recording.seq,
    kind: recording.kind,
    state: recording.isOpen ? "open" : error ? "failed" : "done",
    endpoint: request.visitor.endpoint,
    method: request.method,
    scheme: request.scheme,
    hostname: request.visitor.hostname,
    target: redactor.target(request.target),
    httpVersion: request.httpVersion,
    ...(response && { status: response.status, answeredBy: response.by }),
    startedAt: recording.startedAt,
    ...(marks.end !== undefined && { durationMs: marks.end }),
    requestBytes: recording.requestBody.bytes,
    responseBytes: recording.responseBody.bytes,
    ...(requestType !== undefined && { requestType }),
    ...(responseType !== undefined && { responseType }),
    visitor: {
      address: request.visitor.address,
      ...(request.visitor.port !== undefined && { port: request.visitor.port }),
    },
    traceId: request.visitor.traceId,
    ...(messages && { messages: messages.total }),
    ...origin,
    ...(error && { error: { code: error.code, message: error.message } }),
  };
}

export function detailOf(recording: Recording, redactor: Redactor, unredacted: boolean): ExchangeDetail {
  const { request, response, marks, forwardedHead } = recording;
  const { visitor } = request;
  const headers = (raw: RawHeaders): Header[] => (unredacted ? plainHeaders(raw) : redactor.headers(raw));
  const target = (raw: string): string => (unredacted ? raw : redactor.target(raw));
  const why = whyNoReplay(recording);
  const summary = summaryOf(recording, redactor);
  return {
    summary: { ...summary, target: target(request.target) },
    origin: publicOrigin(recording),
    timing: {
      startedAt: recording.startedAt,
      ...(marks.forwarded !== undefined && { forwardedMs: marks.forwarded }),
      ...(marks.requestEnd !== undefined && { requestEndMs: marks.requestEnd }),
      ...(marks.responseHead !== undefined && { responseHeadMs: marks.responseHead }),
      ...(marks.responseEnd !== undefined && { responseEndMs: marks.responseEnd }),
      ...(marks.end !== undefined && { endMs: marks.end }),
      ...(visitor.linkRttMs !== undefined && { linkRttMs: visitor.linkRttMs }),
      ...(visitor.handshakeMs !== undefined && { handshakeMs: visitor.handshakeMs }),
    },
    transport: visitor.transport,
    request: {
      headers: headers(request.headers),
      trailers: headers(recording.requestTrailers),
      body: bodyInfo(recording, "request"),
      ...(forwardedHead && {
        forwarded: {
          service: forwardedHead.service.text,
          method: forwardedHead.method,
          target: target(forwardedHead.target),
          headers: headers(forwardedHead.headers),
        },
      }),
    },
    ...(response && {
      response: {
        status: response.status,
        statusText: response.statusText,
        headers: headers(response.headers),
        trailers: headers(recording.responseTrailers),
        body: bodyInfo(recording, "response"),
      },
    }),
    replay: why === undefined ? { possible: true } : { possible: false, why },
    redacted: !unredacted,
  };
}

export function bodyInfo(recording: Recording, side: "request" | "response"): BodyInfo {
  const body = side === "request" ? recording.requestBody : recording.responseBody;
  const info = body.info(headersOf(recording, side));
  // Its bytes are messages, and those are kept.
  if (recording.kind === "websocket") return { ...info, state: "none", bytes: 0, keptBytes: 0 };
  // A response to HEAD, or one that never came, has no body.
  return info.state === "open" && !recording.isOpen && info.bytes === 0 ? { ...info, state: "none" } : info;
}

export function headersOf(recording: Recording, side: "request" | "response"): RawHeaders {
  return side === "request" ? recording.request.headers : (recording.response?.headers ?? []);
}

export function plainHeaders(raw: RawHeaders): Header[] {
  const headers: Header[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2)
    headers.push({ name: raw[index] ?? "", value: raw[index + 1] ?? "" });
  return headers;
}

function mediaType(headers: RawHeaders): string | undefined {
  return valueOf(headers, "content-type")?.split(";", 1)[0]?.trim().toLowerCase();
}

/** As the visitor had it in the address bar: the port is the relay's, or what Host says. */
export function publicOrigin({ request }: Recording): string {
  const { scheme, visitor, headers } = request;
  const port = visitor.publicPort ?? Number(/:(\d{1,5})$/.exec(valueOf(headers, "host") ?? "")?.[1] ?? 443);
  return `${scheme}://${visitor.hostname}${port === 443 ? "" : `:${port}`}`;
}
