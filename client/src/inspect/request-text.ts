import { PortholeError } from "@porthole/common/errors";
import type { BodyView, ExchangeDetail, Header, ReplayEdit } from "@porthole/tunnel/rpc";

const intro = [
  "# Edit the request, save and close: it is sent to the local service. An empty file sends nothing.",
  "# A value that stands as <redacted> is sent as it was recorded. Lines before the request that begin with # don't count.",
];

/** The request as text that can be edited. Of a body that is not text there is nothing: it stays as it is. */
export function requestText({ request, summary }: ExchangeDetail, body: BodyView): string {
  const head = request.forwarded;
  const isWhole = body.text !== undefined && body.nextOffset === undefined && body.decoding === "none";
  return [
    ...intro,
    `${head?.method ?? summary.method} ${head?.target ?? summary.target}`,
    ...(head?.headers ?? request.headers)
      .filter(({ name }) => name.toLowerCase() !== "content-length")
      .map(({ name, value }) => `${name}: ${value}`),
    "",
    isWhole ? (body.text ?? "") : "",
  ].join("\n");
}

/** What was changed, or undefined for an empty file. Throws `usage`. `before` is what was given to be edited. */
export function editOf(text: string, before: string): ReplayEdit | undefined {
  if (text.trim() === "") return undefined;
  // Editors end the last line.
  const saved = text.endsWith("\n") && !before.endsWith("\n") ? text.slice(0, -1) : text;
  const { method, target, headers, body } = parse(saved);
  const original = parse(before);
  return {
    ...(method !== original.method && { method }),
    ...(target !== original.target && { target }),
    ...(JSON.stringify(headers) !== JSON.stringify(original.headers) && { headers }),
    ...(body !== original.body && { body: { text: body } }),
  };
}

interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

function parse(text: string): RequestParts {
  const lines = text.split("\n");
  let at = 0;
  while (lines[at]?.startsWith("#") || lines[at]?.trim() === "") at++;
  const [, method = "", target = ""] = /^(\S+) +(\S+)\s*$/.exec(lines[at] ?? "") ?? [];
  if (method === "" || target === "")
    throw new PortholeError(
      "usage",
      `The first line is ${JSON.stringify(lines[at] ?? "")}; it should be like: GET /path`,
    );
  const headers: Header[] = [];
  for (at++; at < lines.length && lines[at]?.trim() !== ""; at++) headers.push(parseHeader(lines[at] ?? ""));
  return { method, target, headers, body: lines.slice(at + 1).join("\n") };
}

/** `Name: value`. Throws `usage`. */
export function parseHeader(line: string): Header {
  const [, name = "", value = ""] = /^([^\s:]+):[ \t]*(.*?)\s*$/.exec(line) ?? [];
  if (name !== "") return { name, value };
  throw new PortholeError("usage", `${JSON.stringify(line)} is not a header; it should be like: Name: value`);
}
