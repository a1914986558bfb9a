import { bodyInfo } from "./exchange-view.ts";
import type { Recording } from "./recording.ts";
import type { Redactor } from "./redactor.ts";

/** Search budget per body and per query. The first bounds what is read in a turn of the event loop. */
const maxBodyBytes = 32 * 1024;
const maxBytes = 16 * 1024 * 1024;

type Side = "request" | "response";

/** A body as it is looked through: as recorded, and once a word is in it also as it is shown. */
interface SearchedBody {
  readonly recorded: string;
  shown?: string;
}

/**
 * Looks for words (in lower case) in what is shown of exchanges: what was taken out can't be found. Compressed bodies are not searched, and of the
 * others those that are asked about first, up to a bound.
 */
export class TextSearch {
  readonly #redactor: Redactor;
  #bytesLeft = maxBytes;
  #work = 0;
  /** The exchange that was looked at last: several words may be looked for. */
  #recording: Recording | undefined;
  #bodies: Partial<Record<Side, SearchedBody>> = {};

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  contains(recording: Recording, word: string): boolean {
    const { request, response } = recording;
    const has = (text: string): boolean => text.toLowerCase().includes(word);
    if (has(request.method) || has(this.#redactor.target(request.target)) || has(request.visitor.address)) return true;
    for (const headers of [request.headers, response?.headers ?? []])
      if (this.#redactor.headers(headers).some(({ name, value }) => has(`${name}: ${value}`))) return true;
    return this.#isInBody(recording, "request", word) || this.#isInBody(recording, "response", word);
  }

  /** Characters that were read since the last call. */
  takeWork(): number {
    const work = this.#work;
    this.#work = 0;
    return work;
  }

  #isInBody(recording: Recording, side: Side, word: string): boolean {
    const info = bodyInfo(recording, side);
    if (info.keptBytes === 0 || info.contentEncoding !== "") return false;
    const body = this.#bodyOf(recording, side);
    // Most bodies don't have it, and then nothing has to be taken out of them.
    if (!body?.recorded.toLowerCase().includes(word)) return false;
    if (body.shown === undefined) {
      const isForm = /^(application\/x-www-form-urlencoded|multipart\/)/i.test(info.contentType);
      const { recorded } = body;
      const shown = isForm ? this.#redactor.body(recorded, "form", info.contentType) : this.#redactor.text(recorded);
      body.shown = shown.toLowerCase();
      this.#work += recorded.length;
    }
    return body.shown.includes(word);
  }

  #bodyOf(recording: Recording, side: Side): SearchedBody | undefined {
    if (this.#recording !== recording) {
      this.#recording = recording;
      this.#bodies = {};
    }
    const known = this.#bodies[side];
    if (known || this.#bytesLeft <= 0) return known;
    const { kept } = side === "request" ? recording.requestBody : recording.responseBody;
    const recorded = kept.toString("utf8", 0, maxBodyBytes);
    this.#bytesLeft -= recorded.length;
    // To look through it costs little beside taking things out of it.
    this.#work += recorded.length / 8;
    const body = { recorded };
    this.#bodies[side] = body;
    return body;
  }
}
