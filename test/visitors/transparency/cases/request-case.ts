import type { Field } from "../messages.ts";

/** What a visitor asks for. */
export interface RequestCase {
  /** GET when absent. */
  readonly method?: string;
  /** As it stands in the first line, in latin1; `/` when absent. */
  readonly target?: string;
  readonly fields?: readonly Field[];
  readonly body?: string;
  /** The framing of the body over HTTP/1.1; a length when absent. */
  readonly framing?: "length" | "chunked";
  readonly trailers?: readonly Field[];
  /** HTTP/1.1 when absent. */
  readonly version?: string;
  /** Lines that HTTP/2 has no way to say stand in `lines`, and such a case is one of HTTP/1 only. */
  readonly lines?: string;
  readonly only?: "HTTP/1.1" | "HTTP/2";
}

export type RequestCases = Readonly<Record<string, RequestCase>>;

/** As a visitor of HTTP/1.1 sends it. */
export function http1Bytes(request: RequestCase, host: string): string {
  const { method = "GET", target = "/", fields = [], body, framing = "length", trailers = [] } = request;
  const { version = "HTTP/1.1", lines = "" } = request;
  const length =
    body === undefined
      ? ""
      : framing === "length"
        ? `Content-Length: ${body.length}\r\n`
        : "Transfer-Encoding: chunked\r\n";
  const head = `${method} ${target} ${version}\r\nHost: ${host}\r\n${lines}${linesOf(fields)}${length}\r\n`;
  if (body === undefined || framing === "length") return head + (body ?? "");
  const chunk = body === "" ? "" : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${head}${chunk}0\r\n${linesOf(trailers)}\r\n`;
}

function linesOf(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
