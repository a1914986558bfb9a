import type { BodyView, ExchangeDetail, Header, MessageView } from "@porthole/tunnel/rpc";
import { formatBytes, formatDuration } from "@porthole/common/util";
import { printable, printableLines } from "../printable.ts";
import type { FullExchange } from "./full-exchange.ts";
import { colourOf, outcomeOf, plainPaint, timeOf, type Paint } from "./row.ts";

/** Everything about one request, as lines for a terminal. Nothing that a visitor sent can steer it. */
export function pageOf(
  { detail, requestBody, responseBody, messages }: FullExchange,
  paint: Paint = plainPaint,
): string[] {
  const { summary, request, response } = detail;
  const title = `${printable(summary.method)} ${printable(detail.origin + summary.target)}`;
  return [
    `${paint(colourOf(summary), outcomeOf(summary))}  ${paint("bold", title)}`,
    ...aboutOf(detail).map((line) => paint("dim", line)),
    "",
    ...section("Request", paint),
    ...headersOf(request.headers, paint),
    ...forwardedOf(detail, paint),
    ...bodyOf(requestBody, paint),
    ...headersOf(request.trailers, paint),
    "",
    ...section(
      response ? `Response ${response.status} ${printable(response.statusText)}`.trimEnd() : "No response",
      paint,
    ),
    ...headersOf(response?.headers ?? [], paint),
    ...bodyOf(responseBody, paint),
    ...headersOf(response?.trailers ?? [], paint),
    ...(messages.total === 0
      ? []
      : [
          "",
          ...section(`Messages: ${messages.total}`, paint),
          ...messages.messages.flatMap((one) => messageLines(one, paint)),
        ]),
    ...(detail.redacted
      ? ["", paint("dim", `Values that stand as <redacted> were taken out; --unredacted shows them.`)]
      : []),
  ];
}

function aboutOf({ summary, timing, transport, replay }: ExchangeDetail): string[] {
  const parts = [
    `#${summary.id} at ${timeOf(summary.startedAt)}`,
    `HTTP/${summary.httpVersion}`,
    `from ${printable(summary.visitor.address)} by ${transport === "quic" ? "QUIC" : "HTTP/2"}`,
    ...(summary.answeredBy === "gateway" ? ["answered by Porthole, not by the service"] : []),
    ...(summary.replayOf === undefined ? [] : [`a${summary.edited ? "n edited" : ""} replay of ${summary.replayOf}`]),
  ];
  const { forwardedMs, responseHeadMs, endMs } = timing;
  const times = [
    ...(timing.handshakeMs === undefined ? [] : [`TLS ${formatDuration(timing.handshakeMs)}`]),
    ...(timing.linkRttMs === undefined ? [] : [`tunnel ${formatDuration(timing.linkRttMs)} there and back`]),
    ...(forwardedMs === undefined || responseHeadMs === undefined
      ? []
      : [`service ${formatDuration(Math.max(0, responseHeadMs - forwardedMs))} to the first byte`]),
    ...(endMs === undefined ? [] : [`all ${formatDuration(endMs)}`]),
  ];
  return [
    parts.join(", "),
    ...(times.length === 0 ? [] : [times.join(", ")]),
    ...(summary.error ? [printable(summary.error.message)] : []),
    ...(replay.possible ? [] : [`No replay: ${replay.why}`]),
  ];
}

function forwardedOf({ request }: ExchangeDetail, paint: Paint): string[] {
  const { forwarded } = request;
  if (!forwarded) return [];
  const sent = forwarded.headers.filter(
    ({ name, value }) =>
      !request.headers.some((own) => own.name.toLowerCase() === name.toLowerCase() && own.value === value),
  );
  if (sent.length === 0) return [];
  return [paint("dim", `${printable(forwarded.service)} got instead or besides:`), ...headersOf(sent, paint)];
}

function section(title: string, paint: Paint): string[] {
  return [paint(["bold", "underline"], title)];
}

function headersOf(headers: readonly Header[], paint: Paint): string[] {
  return headers.map(({ name, value }) => `${paint("cyan", printable(name))}: ${printable(value)}`);
}

function bodyOf(body: BodyView, paint: Paint): string[] {
  const { info } = body;
  if (body.format === "none" && info.bytes === 0) return [];
  const coding = body.decoding === "decoded" ? `, ${printable(info.contentEncoding)} undone` : "";
  const decoding =
    body.decoding === "damaged" || body.decoding === "unknown"
      ? `, ${printable(info.contentEncoding)} can't be undone`
      : coding;
  const cut =
    info.state === "truncated"
      ? `, only the first ${formatBytes(info.keptBytes)} kept`
      : info.state === "open"
        ? ", not whole"
        : "";
  const more = body.nextOffset === undefined ? "" : ", the beginning:";
  const about = paint("dim", `-- ${body.format}, ${formatBytes(info.bytes)}${decoding}${cut}${more}`);
  if (body.fields) return ["", about, ...headersOf(body.fields, paint)];
  if (body.text !== undefined) return ["", about, ...printableLines(shownText(body)).split("\n")];
  return ["", about, ...hexLines(body.base64 ?? "")];
}

/** JSON is easier to read with a line for each value; its numbers must stay as they are. */
function shownText({ format, text = "", nextOffset }: BodyView): string {
  if (format !== "json" || nextOffset !== undefined || /[\d.]{16}|[eE][+-]?\d|-0\b|\.\d*0[^\d]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

function hexLines(base64: string): string[] {
  const bytes = Buffer.from(base64, "base64").subarray(0, 256);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = bytes.subarray(at, at + 16);
    const hex = (part.toString("hex").match(/../g) ?? []).join(" ");
    lines.push(`${hex.padEnd(48)} ${part.toString("latin1").replace(/[^\x20-\x7e]/g, ".")}`);
  }
  return lines;
}

function messageLines(message: MessageView, paint: Paint): string[] {
  const { from, type, bytes, atMs, closeCode, event } = message;
  const arrow = from === "visitor" ? paint("cyan", "→") : paint("green", "←");
  const about = [
    ...(type === "text" ? [] : [type === "event" ? printable(event?.name ?? "message") : type]),
    ...(closeCode === undefined ? [] : [String(closeCode)]),
    ...(message.compressed ? ["compressed"] : []),
    ...(message.fragments === undefined ? [] : [`${message.fragments} fragments`]),
    ...(message.truncated ? [`the beginning of ${formatBytes(bytes)}`] : []),
  ];
  const [first = "", ...rest] =
    message.text === undefined ? hexLines(message.base64 ?? "") : printableLines(message.text).split("\n");
  const head = `${arrow} ${paint("dim", `+${formatDuration(atMs)}`)}${about.length === 0 ? "" : ` ${paint("dim", `(${about.join(", ")})`)}`}`;
  return [`${head} ${first}`, ...rest.map((line) => `  ${line}`)];
}
