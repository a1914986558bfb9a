import type { ExchangeDetail, Header } from "@porthole/tunnel/rpc";
import type { WholeBody } from "@porthole/tunnel/requests";

/** By media type without parameters; the editor chooses the language by the name's end. */
const extensions: Readonly<Record<string, string>> = {
  "application/javascript": "js",
  "application/json": "json",
  "application/pdf": "pdf",
  "application/xhtml+xml": "html",
  "application/yaml": "yaml",
  "application/x-ndjson": "jsonl",
  "application/x-yaml": "yaml",
  "application/zip": "zip",
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "image/x-icon": "ico",
  "text/javascript": "js",
  "text/markdown": "md",
  "text/plain": "txt",
  "text/yaml": "yaml",
};

/** Returns how the name of a file with such a body ends, without the dot. */
export function bodyExtension({ info, format, base64 }: Pick<WholeBody, "info" | "format" | "base64">): string {
  const type = info.contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const known = extensions[type];
  if (known !== undefined) return known;
  if (format === "json" || type.endsWith("+json")) return "json";
  if (format === "html" || format === "xml") return format;
  const [, subtype] = /^(?:text|image|audio|video|font)\/(?:x-)?([a-z0-9]{1,8})$/.exec(type) ?? [];
  if (subtype !== undefined) return subtype;
  return base64 === undefined ? "txt" : "bin";
}

/** A body as people read it: JSON gets lines. */
export function bodyText(text: string, extension: string): string {
  if (extension !== "json") return text;
  try {
    return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
  } catch {
    return text;
  }
}

/** A request and its response as one text, to be compared with another. */
export function exchangeText(
  { summary, request, response }: ExchangeDetail,
  bodies: { readonly request: string; readonly response: string },
): string {
  const fields = (headers: readonly Header[]): string[] => headers.map(({ name, value }) => `${name}: ${value}`);
  const lines = [
    `${summary.method} ${summary.target} HTTP/${summary.httpVersion}`,
    ...fields(request.headers),
    ...(bodies.request === "" ? [] : ["", bodies.request]),
    ...(response
      ? ["", "###", "", `HTTP/${summary.httpVersion} ${response.status} ${response.statusText}`.trimEnd()]
      : []),
    ...(response ? fields(response.headers) : []),
    ...(response && bodies.response !== "" ? ["", bodies.response] : []),
  ];
  return `${lines.join("\n")}\n`;
}
