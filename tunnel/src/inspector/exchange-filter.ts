import type { ExchangeFilter } from "./queries.ts";
import type { ExchangeSummary } from "./views.ts";

/** The parts of an exchange that a filter looks at. Texts are made only for the search of a word. */
export interface FilterSubject {
  readonly summary: ExchangeSummary;
  /** Redacted: a filter must not find out what is not shown. */
  contains(word: string): boolean;
}

type Test = (subject: FilterSubject) => boolean;

const fields: Readonly<Record<string, (value: string) => Test>> = {
  method: (value) => {
    const methods = value.toUpperCase().split(",");
    return ({ summary }) => methods.includes(summary.method.toUpperCase());
  },
  status: (value) => {
    const patterns = value.toLowerCase().split(",");
    return ({ summary }) => patterns.some((pattern) => fitsStatus(pattern, summary.status));
  },
  path: (value) => {
    const part = value.toLowerCase();
    return ({ summary }) => summary.target.toLowerCase().includes(part);
  },
  type: (value) => {
    const part = value.toLowerCase();
    return ({ summary }) => `${summary.requestType ?? ""} ${summary.responseType ?? ""}`.includes(part);
  },
  kind: (value) => {
    const kind = value.toLowerCase();
    return ({ summary }) => summary.kind === kind || (kind === "ws" && summary.kind === "websocket");
  },
  visitor:
    (value) =>
    ({ summary }) =>
      summary.visitor.address.includes(value),
  is: (value) => {
    const state = value.toLowerCase();
    return ({ summary }) => {
      if (state === "replay") return summary.replayOf !== undefined;
      if (state === "edited") return summary.edited === true;
      return summary.state === state;
    };
  },
};

/** See ExchangeFilter. Every text is a filter: a word with an unknown field before its colon is looked for as it is. */
export function parseFilter(filter: ExchangeFilter | undefined): Test {
  const words = filter?.text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  const tests = words.map((word) => testOf(word));
  return (subject) => tests.every((test) => test(subject));
}

function testOf(word: string): Test {
  if (word.length > 1 && word.startsWith("-")) {
    const test = testOf(word.slice(1));
    return (subject) => !test(subject);
  }
  const bare = word.replaceAll('"', "");
  const colon = word.startsWith('"') ? -1 : bare.indexOf(":");
  const name = bare.slice(0, Math.max(0, colon)).toLowerCase();
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field && colon + 1 < bare.length) return field(bare.slice(colon + 1));
  const needle = bare.toLowerCase();
  return (subject) => subject.contains(needle);
}

/** `404`, `4xx`, `4`, `none`. */
function fitsStatus(pattern: string, status: number | undefined): boolean {
  if (status === undefined) return pattern === "none";
  const text = String(status);
  return pattern.length === 1
    ? text.startsWith(pattern)
    : Array.from(pattern).every((char, index) => char === "x" || char === text[index]) &&
        pattern.length === text.length;
}
