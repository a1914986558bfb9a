import type { Difference } from "./messages.ts";

export type Protocol = "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";

/** Which comparison a difference was found in. */
export interface Circumstances {
  readonly message: "request" | "answer" | "talk";
  /** The case's name. */
  readonly name: string;
  /** What the visitor speaks in the tunnel. */
  readonly visitor: Protocol;
  readonly service: Protocol;
  /** The program that reads. */
  readonly client: string;
}

/** A difference that is meant. Absent conditions hold always. */
export interface ListedDifference {
  readonly what: string;
  readonly reason: string;
  readonly message: Circumstances["message"];
  readonly parts: readonly Difference["part"][];
  /** Names of fields in lower case; one that ends with `*` is a prefix. */
  readonly names?: readonly string[];
  readonly change?: "missing" | "added" | "changed";
  readonly visitor?: Protocol;
  readonly service?: Protocol;
  readonly clients?: readonly string[];
  readonly cases?: readonly string[];
  /** What the difference has become; part of it is enough. */
  readonly became?: string;
  /** How the field's values have to have become one. */
  readonly values?: "first" | "joined by commas" | "joined by semicolons";
}

export function isListed(listed: ListedDifference, difference: Difference, where: Circumstances): boolean {
  const { parts, names, change, visitor, service, clients, cases, became, values, message } = listed;
  return (
    message === where.message &&
    parts.includes(difference.part) &&
    (names === undefined || names.some((name) => isNamed(difference.name, name))) &&
    (change === undefined || change === changeOf(difference)) &&
    (visitor === undefined || visitor === where.visitor) &&
    (service === undefined || service === where.service) &&
    (clients === undefined || clients.includes(where.client)) &&
    (cases === undefined || cases.includes(where.name)) &&
    (became === undefined || difference.tunnelled.includes(became)) &&
    (values === undefined || difference.tunnelled === merged(difference.direct, values))
  );
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function changeOf({ direct, tunnelled }: Difference): ListedDifference["change"] {
  return tunnelled === "" ? "missing" : direct === "" ? "added" : "changed";
}

function merged(direct: string, how: NonNullable<ListedDifference["values"]>): string {
  const values = JSON.parse(direct || "[]") as string[];
  if (how === "first") return JSON.stringify(values.slice(0, 1));
  return JSON.stringify([values.join(how === "joined by commas" ? ", " : "; ")]);
}

/** Everything that a tunnel changes on purpose. docs/gateway.md has this list. */
export const listedDifferences: readonly ListedDifference[] = [
  {
    what: "X-Forwarded-For, -Proto, -Host, -Port and Forwarded are added",
    reason: "The service learns who the visitor is and which public name was used.",
    message: "request",
    parts: ["field"],
    names: ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded"],
  },
  {
    what: "X-Forwarded-*, Forwarded and X-Real-IP of a visitor are dropped, also when spelled with underscores",
    reason: "Only a proxy in front of the service may say them.",
    message: "request",
    parts: ["field"],
    names: ["x-forwarded-*", "x-real-ip", "x_forwarded_*"],
    change: "missing",
  },
  {
    what: "Fields of one connection are not passed on",
    reason: "They belong to one hop (RFC 9110 7.6.1).",
    message: "request",
    parts: ["field"],
    names: ["connection", "keep-alive", "proxy-connection", "http2-settings", "x-hop"],
  },
  {
    what: "Cookies in several fields become one field",
    reason: "HTTP/2 splits them, and services expect one (RFC 9113 8.2.3).",
    message: "request",
    parts: ["field"],
    names: ["cookie"],
    values: "joined by semicolons",
  },
  {
    what: "Field names are in lower case",
    reason: "HTTP/2 has no others (RFC 9113 8.2.1).",
    message: "request",
    parts: ["spelling"],
    visitor: "HTTP/2",
  },
  {
    what: "A target in absolute form becomes its path",
    reason: "Services expect that of a client that is no proxy (RFC 9112 3.2.1).",
    message: "request",
    parts: ["request"],
    names: ["target"],
    cases: ["the absolute form", "the absolute form without a path", "the absolute form with a query only"],
  },
  {
    what: "Fields of one connection are not passed on",
    reason: "They belong to one hop (RFC 9110 7.6.1).",
    message: "answer",
    parts: ["field"],
    names: ["connection", "keep-alive", "proxy-connection", "upgrade", "x-hop"],
  },
  {
    what: "Transfer-Encoding follows the visitor's connection",
    reason: "It frames the body on one hop only; HTTP/2 frames bodies itself (RFC 9112 6.1).",
    message: "answer",
    parts: ["field"],
    names: ["transfer-encoding"],
  },
  {
    what: "TE is not passed on",
    reason: "It is a field of requests, and of one hop (RFC 9110 10.1.4).",
    message: "answer",
    parts: ["field"],
    names: ["te"],
    visitor: "HTTP/2",
  },
  {
    what: "Date is added to answers without one",
    reason: "An intermediary adds it (RFC 9110 6.6.1).",
    message: "answer",
    parts: ["field"],
    names: ["date"],
    change: "added",
    visitor: "HTTP/2",
  },
  {
    what: "Field names are in lower case",
    reason: "HTTP/2 has no others (RFC 9113 8.2.1).",
    message: "answer",
    parts: ["spelling"],
    visitor: "HTTP/2",
  },
  {
    what: "There is no reason phrase",
    reason: "HTTP/2 has none (RFC 9113 8.3.2).",
    message: "answer",
    parts: ["reason"],
    visitor: "HTTP/2",
  },
  {
    what: "Fields of one name stand together",
    reason: "Node's HTTP/2 takes them by name. The order within a name stays, and only that has a meaning (RFC 9110 5.3).",
    message: "answer",
    parts: ["order"],
    visitor: "HTTP/2",
  },
  {
    what: "A field that may stand once keeps its first value only",
    reason: "HTTP/2 clients refuse answers that repeat it.",
    message: "answer",
    parts: ["field"],
    names: [
      ...["access-control-allow-credentials", "access-control-max-age", "access-control-request-method", "age"],
      ...["content-length", "content-location", "content-md5", "content-range", "content-type", "date", "etag"],
      ...["expires", "last-modified", "location", "retry-after", "x-content-type-options"],
    ],
    visitor: "HTTP/2",
    values: "first",
  },
  {
    what: "Content-Encoding and Content-Language become one field each",
    reason: "Node's HTTP/2 takes them once; both are lists (RFC 9110 5.3).",
    message: "answer",
    parts: ["field"],
    names: ["content-encoding", "content-language"],
    visitor: "HTTP/2",
    values: "joined by commas",
  },
  {
    what: "A length of an answer without a body is dropped",
    reason: "It may not stand there (RFC 9110 8.6), and HTTP/2 clients refuse it.",
    message: "answer",
    parts: ["field"],
    names: ["content-length"],
    change: "missing",
    cases: ["204 with a length of zero", "a body after 204"],
    visitor: "HTTP/2",
  },
  {
    what: "A length beside chunks is dropped",
    reason: "Chunks count, and both together is how answers are smuggled (RFC 9112 6.3).",
    message: "answer",
    parts: ["field"],
    names: ["content-length"],
    change: "missing",
    cases: ["a length beside chunks", "chunks beside a length", "a wrong length beside chunks"],
  },
  {
    what: "A length that is said twice is said once",
    reason: "RFC 9112 6.3 asks for it.",
    message: "answer",
    parts: ["field"],
    names: ["content-length"],
    cases: ["the same length twice", "the same length as a list"],
    became: '["5"]',
  },
  {
    what: "A field that HTTP/2 forbids is dropped",
    reason: "A client would refuse the whole answer (RFC 9113 8.2.1).",
    message: "answer",
    parts: ["field", "trailer"],
    change: "missing",
    visitor: "HTTP/2",
    cases: [
      ...["a control character in a value", "DEL in a value", "escape in a cookie", "a trailer with a control character"],
      ...["a name with parentheses", "a name with a slash", "a name with a space", "a name in utf-8", "a name in latin1"],
      ...["a name with at and brackets"],
    ],
  },
  {
    what: "A length among trailers is dropped",
    reason: "It may not stand there (RFC 9110 6.5.1).",
    message: "answer",
    parts: ["trailer"],
    names: ["content-length"],
    change: "missing",
    cases: ["trailers that may only stand in a head"],
  },
  {
    what: "What no client can read as an answer is 502",
    reason: "The service has said nothing that could be passed on.",
    message: "answer",
    parts: ["status"],
    became: "502 of the tunnel",
    cases: [
      ...["half a status line", "half a head", "half a field", "half a head, then a reset", "no byte"],
      ...["a reset instead of an answer", "100 and then the end", "103 and then the end", "an answer that is not HTTP"],
      ...["an answer of HTTP/0.9", "a status of letters", "two lengths", "two lengths in a list", "a negative length"],
      ...["a length of letters", "a length beyond all numbers", "a NUL in a value"],
    ],
  },
  {
    what: "A head of more than 128 KB is 502",
    reason: "It is held in memory.",
    message: "answer",
    parts: ["status"],
    became: "502 of the tunnel",
    cases: ["a field of 2 MB"],
  },
  {
    what: "An answer that breaks off in its first bytes is 502",
    reason: "Nothing has been passed on yet, and the page says what has happened.",
    message: "answer",
    parts: ["status"],
    became: "502 of the tunnel",
    cases: [
      ...["half of the length", "half of the length, of text", "half of the length, then a reset"],
      ...["nothing of the length", "nothing of the length, then a reset", "half of an error's length"],
      "half of a bad request's length",
    ],
  },
  {
    what: "A status beyond 599 is 502",
    reason: "Node's HTTP/2 sends none; they are not statuses of HTTP (RFC 9110 15).",
    message: "answer",
    parts: ["status"],
    became: "502 of the tunnel",
    visitor: "HTTP/2",
    cases: ["a status of 600", "a status of 999"],
  },
];
