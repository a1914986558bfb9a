import { STATUS_CODES } from "node:http";
import type { RawHeaders } from "./exchange.ts";

/** The head of a request of HTTP/1.1, to be sent as Latin-1. */
export function requestHeadText(method: string, target: string, headers: RawHeaders): string {
  return `${method} ${target} HTTP/1.1\r\n${fieldLinesText(headers)}\r\n`;
}

/** The head of an answer of HTTP/1.1, to be sent as Latin-1. Without a reason of the service's own it has the usual one. */
export function answerHeadText(status: number, statusText: string | undefined, headers: RawHeaders): string {
  const reason = statusText ?? STATUS_CODES[status] ?? "";
  return `HTTP/1.1 ${status} ${reason}\r\n${fieldLinesText(headers)}\r\n`;
}

/** Names and values as they stand in a message of HTTP/1. */
export function fieldLinesText(headers: RawHeaders): string {
  let text = "";
  for (let index = 0; index + 1 < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return text;
}

/** Returns the line before a chunk (RFC 9112 section 7.1). */
export function chunkStart(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

/** The end of a chunked body. */
export function lastChunkText(trailers: RawHeaders): string {
  return trailers.length === 0 ? "0\r\n\r\n" : `0\r\n${fieldLinesText(trailers)}\r\n`;
}
