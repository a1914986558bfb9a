import { PortholeError } from "@porthole/common/errors";
import type { ExchangeDetail, Header, ReplayEdit } from "../rpc/index.ts";
import { t } from "./text.ts";

/** The line that stands for a body as it was recorded: bytes that no text editor can show, or that nobody has changed. */
export const recordedBody = "< recorded";

/** A request as its sender writes it. */
export interface RequestText {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  /** Absent where there is none. */
  readonly body?: string;
}

/** Writes a request as a `.http` file has it: a request line, headers, an empty line and the body. */
export function requestText({ method, target, headers, body }: RequestText, notes: readonly string[] = []): string {
  const head = [
    ...notes.map((note) => `# ${note}`),
    `${method} ${target}`,
    ...headers.map(({ name, value }) => `${name}: ${value}`),
  ];
  return `${head.join("\n")}\n${body === undefined ? "" : `\n${body}`}`;
}

/** Reads such a text. Throws `usage` for a line that is neither: nothing must be left out silently. */
export function parseRequestText(text: string): RequestText {
  const lines = text.split("\n");
  const isNote = (line: string): boolean => /^(#|\/\/)/.test(line) || line.trim() === "";
  const first = lines.findIndex((line) => !isNote(line));
  const [, method, target] = /^(\S+)[ \t]+(\S+)(?:[ \t]+HTTP\/[\d.]+)?\s*$/.exec(lines[first] ?? "") ?? [];
  if (method === undefined || target === undefined)
    throw new PortholeError("usage", t("The first line is a method and a path, as in: {0}", "GET /path?a=b"));
  const empty = lines.findIndex((line, index) => index > first && line.trim() === "");
  const headers = lines
    .slice(first + 1, empty < 0 ? undefined : empty)
    .filter((line) => !line.startsWith("#"))
    .map((line) => {
      const [, name, value = ""] = /^([^\s:]+):[ \t]*(.*?)[ \t\r]*$/.exec(line) ?? [];
      if (name === undefined) throw new PortholeError("usage", t("This is not a header: {0}", line.trim()));
      return { name, value };
    });
  return {
    method,
    target,
    headers,
    ...(empty < 0 || empty === lines.length - 1 ? {} : { body: lines.slice(empty + 1).join("\n") }),
  };
}

/** The recorded part of a request's body. */
export interface RecordedBody {
  /** Absent for bytes that are no text, and for a truncated body. */
  readonly text?: string;
  /** It can be sent again as it was. */
  readonly isWhole: boolean;
}

/** The text that a person changes: the request as the local service got it. `notes` begin it, as comments. */
export function editableText(
  { summary, request, replay }: ExchangeDetail,
  body: RecordedBody,
  ...notes: string[]
): string {
  const recorded = request.forwarded ?? { method: summary.method, target: summary.target, headers: request.headers };
  // It follows from the body that is sent.
  const headers = recorded.headers.filter(({ name }) => name.toLowerCase() !== "content-length");
  const source = { method: recorded.method, target: recorded.target, headers };
  if ([source.target, ...source.headers.map(({ value }) => value)].some((each) => each.includes("<redacted>")))
    notes.push(t("{0} keeps what was recorded.", "<redacted>"));
  if (request.body.state === "none") return requestText(source, notes);
  if (body.text !== undefined) return requestText({ ...source, body: withLineFeeds(body.text) }, notes);
  if (body.isWhole) notes.push(t("This body can't be edited as text; it is sent as it was recorded."));
  else if (!replay.possible) notes.push(replay.why);
  return requestText({ ...source, body: body.isWhole ? recordedBody : "" }, notes);
}

/** Returns the edit that turns the recorded request into the changed text. */
export function editOf(text: string, recorded: RecordedBody): ReplayEdit {
  const { method, target, headers, body = "" } = parseRequestText(withLineFeeds(text));
  const edit = { method, target, headers };
  const isRecorded = body.trim() === recordedBody || body === withLineFeeds(recorded.text ?? "");
  if (recorded.isWhole && isRecorded) return edit;
  // An editor has one kind of line end in a document.
  const hasCrlf = recorded.text !== undefined && /\r\n/.test(recorded.text) && !/[^\r]\n/.test(recorded.text);
  return { ...edit, body: { text: hasCrlf ? body.replaceAll("\n", "\r\n") : body } };
}

function withLineFeeds(text: string): string {
  return text.replaceAll("\r\n", "\n");
}
