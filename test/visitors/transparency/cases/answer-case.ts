/** What a service sends for one request. */
export interface AnswerCase {
  /** In latin1. */
  readonly bytes: string;
  /** The request's method; GET when absent. */
  readonly method?: string;
  /** What the service does with the connection after the bytes; it keeps it when absent. */
  readonly end?: "close" | "reset";
  /** The service answers and ends without reading the request's body. */
  readonly early?: true;
  /** Body of the request. */
  readonly upload?: number;
}

export type AnswerCases = Readonly<Record<string, AnswerCase>>;

/** An answer of HTTP/1.1 with `Content-Length`. `fields` are whole lines. */
export function sized(fields: string, body = "hello", status = "200 OK"): AnswerCase {
  return { bytes: `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}` };
}

/** An answer of HTTP/1.1 in chunks. `trailers` are whole lines. */
export function chunked(fields: string, chunks: readonly string[], trailers = "", status = "200 OK"): AnswerCase {
  const parts = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  return { bytes: `HTTP/1.1 ${status}\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${parts}0\r\n${trailers}\r\n` };
}

/** An answer whose body ends with the connection. */
export function closing(fields: string, body = "hello", status = "HTTP/1.1 200 OK"): AnswerCase {
  return { bytes: `${status}\r\n${fields}\r\n${body}`, end: "close" };
}

/** Any bytes. */
export function raw(bytes: string, end?: AnswerCase["end"]): AnswerCase {
  return end ? { bytes, end } : { bytes };
}

/** A name as it stands in a path. */
export function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
