import { bodyInfo } from "./exchange-view.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redactor.ts";

/** Search budget per body and per query, so that a search cannot block the event loop. */
const maxBodyBytes = 64 * 1024;
const maxBytes = 16 * 1024 * 1024;

/**
 * Whether a word (in lower case) is in what is shown of an exchange: what was taken out can't be found. Compressed bodies are not searched, and of
 * the others those that are asked about first, up to a bound.
 */
export function textSearch(redactor: Redactor): (recording: Recording, word: string) => boolean {
  let bytesLeft = maxBytes;

  function isInBody(recording: Recording, side: "request" | "response", word: string): boolean {
    const info = bodyInfo(recording, side);
    if (info.keptBytes === 0 || info.contentEncoding !== "" || bytesLeft <= 0) return false;
    const body = side === "request" ? recording.requestBody : recording.responseBody;
    const text = body.kept.toString("utf8", 0, maxBodyBytes);
    bytesLeft -= text.length;
    // Most bodies don't have it, and then nothing has to be taken out of them.
    if (!text.toLowerCase().includes(word)) return false;
    const isForm = /^(application\/x-www-form-urlencoded|multipart\/)/i.test(info.contentType);
    const shown = isForm ? redactor.body(text, "form", info.contentType) : redactor.text(text);
    return shown.toLowerCase().includes(word);
  }

  return (recording, word) => {
    const { request, response } = recording;
    const has = (text: string): boolean => text.toLowerCase().includes(word);
    if (has(request.method) || has(redactor.target(request.target)) || has(request.visitor.address)) return true;
    for (const headers of [request.headers, response?.headers ?? []])
      if (redactor.headers(headers).some(({ name, value }) => has(`${name}: ${value}`))) return true;
    return isInBody(recording, "request", word) || isInBody(recording, "response", word);
  };
}
